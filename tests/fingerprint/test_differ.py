"""No false "equal", ever: one rule, one line. Each line holds two values that a user could tell apart."""

from __future__ import annotations

import pytest

from tests.fingerprint.values import NAMES, digest

PLAIN = """
1 ≠ True
1 ≠ 1.0
1 ≠ '1'
'1' ≠ b'1'
1.0 ≠ 1+0j
0 ≠ False
0.0 ≠ -0.0
0j ≠ -0j
None ≠ ...
NotImplemented ≠ None
nan(0) ≠ nan(1)
float('inf') ≠ float('-inf')
10**30 ≠ 10**30 + 1
'' ≠ b''
b'ab' ≠ bytearray(b'ab')
bytearray(b'ab') ≠ bytearray(b'ac')
memoryview(b'ab') ≠ b'ab'
memoryview(b'ab') ≠ memoryview(bytearray(b'ab'))
memoryview(b'abcd') ≠ memoryview(b'abcd').cast('H')
array.array('i', [1]) ≠ array.array('l', [1])
array.array('b', [1]) ≠ array.array('B', [1])
'e\\u0301' ≠ '\\xe9'
'\\ud800' ≠ '?'
int ≠ 'int'
int ≠ float
print ≠ len
"""

CONTAINERS = """
[] ≠ ()
[] ≠ {}
set() ≠ frozenset()
{} ≠ set()
[1, 2] ≠ [2, 1]
[1, 2] ≠ [[1, 2]]
[[1], 2] ≠ [[1, 2]]
[[1, 2], [3]] ≠ [[1], [2, 3]]
['a-b', 'c'] ≠ ['a', 'b-c']
['a', 'b'] ≠ ['ab']
['a', ''] ≠ ['', 'a']
[1] ≠ [True]
[1, 2, 3, 4, 5] ≠ [1, 2, 3, 4, True]
[(1, 2)] * 5 ≠ [(1, 2)] * 4 + [(1, 2.0)]
[(1, 2), (3, 4), (5, 6), (7, 8)] ≠ [(1, 2, 3), (4,), (5, 6), (7, 8)]
[[1], [2], [3], [4]] ≠ [(1,), (2,), (3,), (4,)]
[{1: 2}, {3: 4}, {5: 6}, {7: 8}] ≠ [{1: 2}, {3: 4}, {5: 6}, {7: '8'}]
{1: 'a'} ≠ {True: 'a'}
{1: 'a'} ≠ {'1': 'a'}
{'a': 1, 'b': 2} ≠ {'b': 2, 'a': 1}
{'a': 1} ≠ {'a': True}
{'a': [1]} ≠ {'a': (1,)}
{(1, 2): 3} ≠ {(1, 2.0): 3}
{1, 2} ≠ {1, 3}
{1} ≠ {True}
{1} ≠ {1.0}
{'a', 'b'} ≠ {'ab'}
{(1, 'a'), 2} ≠ {(1, 'b'), 2}
frozenset({frozenset({1})}) ≠ frozenset({1})
{'a': 1} ≠ collections.OrderedDict(a=1)
{'a': 1} ≠ collections.Counter('a')
{'a': 1} ≠ types.MappingProxyType({'a': 1})
{'a': 1} ≠ MyDict(a=1)
{'a': 1}.keys() ≠ {'a': 1}.items()
collections.OrderedDict(a=1, b=2) ≠ collections.OrderedDict(b=2, a=1)
collections.OrderedDict(a=1) ≠ with_attributes(collections.OrderedDict(a=1), x=1)
collections.defaultdict(list) ≠ collections.defaultdict(set)
collections.defaultdict(list) ≠ {}
collections.deque([1]) ≠ [1]
collections.deque([1], 2) ≠ collections.deque([1], 3)
collections.ChainMap({1: 2}, {}) ≠ collections.ChainMap({}, {1: 2})
range(3) ≠ [0, 1, 2]
range(0, 3, 2) ≠ range(0, 4, 2)
slice(1) ≠ slice(0, 1)
shared([1]) ≠ apart([1])
shared({}) ≠ apart({})
[shared([1]), 1] ≠ [apart([1]), 1]
(lambda a, b: [a, b, a])([1], [1]) ≠ (lambda a, b: [a, b, b])([1], [1])
(lambda r: [r, r, r, r])([1]) ≠ [[1], [1], [1], [1]]
cycle(1) ≠ [1, [1]]
cycle(1) ≠ cycle(2)
cycle() ≠ [[]]
"""

OBJECTS = """
MyInt(1) ≠ 1
MyInt(1) ≠ MyInt(2)
MyStr('a') ≠ 'a'
MyStr('a') ≠ with_attributes(MyStr('a'), x=1)
MyList([1]) ≠ [1]
MyList([1]) ≠ MyList([2])
MyList([1]) ≠ with_attributes(MyList([1]), x=1)
Pair(1, 2) ≠ (1, 2)
Pair(1, 2) ≠ Other(1, 2)
Pair(1, 2) ≠ Pair(2, 1)
Point(1) ≠ Point(2)
Point(1, 2) ≠ Point(2, 1)
Point(1) ≠ Open(x=1, y=None)
Point(1) ≠ with_attributes(Point(1), z=1)
Frozen(1) ≠ Frozen(2)
Slots(a=1) ≠ Slots(b=1)
Slots(a=1) ≠ Slots(a=2)
Slots(a=1) ≠ Slots()
Slots(a=[1]) ≠ Slots(a=[2])
Open(a=1) ≠ Open(b=1)
Open(a=1, b=2) ≠ Open(a=2, b=1)
Open(a=Open()) ≠ Open(a={})
object() ≠ None
Color.RED ≠ Color.BLUE
Color.RED ≠ 1
Level.ONE ≠ 1
types.SimpleNamespace(a=1) ≠ types.SimpleNamespace(a=2)
ValueError('a') ≠ ValueError('b')
ValueError('a') ≠ TypeError('a')
ValueError('a') ≠ noted(ValueError('a'), 'note')
OSError(2, 'a', 'f') ≠ OSError(2, 'a', 'g')
ImportError('a', name='b') ≠ ImportError('a', name='c')
ValueError('a') ≠ with_attributes(ValueError('a'), __cause__=KeyError())
ExceptionGroup('a', [ValueError(1)]) ≠ ExceptionGroup('a', [ValueError(2)])
io.BytesIO(b'a') ≠ io.BytesIO(b'b')
io.StringIO('a') ≠ with_attributes(io.StringIO('a'), x=1)
(lambda f: (f.read(1), f)[1])(io.StringIO('ab')) ≠ io.StringIO('ab')
(lambda f: (f.close(), f)[1])(io.StringIO('ab')) ≠ io.StringIO('ab')
random.Random(1) ≠ random.Random(2)
functools.partial(print, 1) ≠ functools.partial(print, 2)
functools.partial(print, 1) ≠ functools.partial(print, a=1)
operator.itemgetter(1) ≠ operator.itemgetter(2)
operator.attrgetter('a') ≠ operator.itemgetter('a')
[].append ≠ [1].append
Point(1).__eq__ ≠ Point(2).__eq__
list[int] ≠ list[str]
typing.List[int] ≠ typing.List[str]
int | str ≠ int | float
"""

LIBRARY = """
datetime.date(2020, 1, 1) ≠ datetime.datetime(2020, 1, 1)
datetime.datetime(2020, 1, 1) ≠ datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
datetime.datetime(2020, 1, 1, fold=0) ≠ datetime.datetime(2020, 1, 1, fold=1)
datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) ≠ datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo('UTC'))
datetime.datetime(2020, 1, 1) ≠ pd.Timestamp(2020, 1, 1)
datetime.time(1) ≠ datetime.time(1, tzinfo=datetime.UTC)
datetime.timedelta(1) ≠ datetime.timedelta(2)
datetime.timezone(datetime.timedelta(0)) ≠ datetime.timezone(datetime.timedelta(0), 'UTC')
zoneinfo.ZoneInfo('Europe/Paris') ≠ zoneinfo.ZoneInfo('Europe/Rome')
decimal.Decimal('1') ≠ decimal.Decimal('1.0')
decimal.Decimal('0') ≠ decimal.Decimal('-0')
decimal.Decimal('NaN') ≠ decimal.Decimal('sNaN')
decimal.Decimal(1) ≠ 1
fractions.Fraction(1, 2) ≠ fractions.Fraction(1, 3)
fractions.Fraction(2) ≠ 2
pathlib.Path('a') ≠ 'a'
pathlib.Path('a') ≠ pathlib.Path('b')
pathlib.PurePosixPath('a') ≠ pathlib.PureWindowsPath('a')
re.compile('a') ≠ re.compile('a', re.I)
re.compile('a') ≠ re.compile(b'a')
uuid.UUID(int=1) ≠ uuid.UUID(int=2)
re ≠ io
typing.TypeVar('T') ≠ typing.TypeVar('T', bound=int)
"""

NUMPY = """
np.arange(9).reshape(3, 3) ≠ np.arange(9).reshape(3, 3).T
np.ones((3, 3)) ≠ np.ones((3, 3)).T.copy('F')
np.ones((2, 3)) ≠ np.ones((3, 2))
np.ones(4) ≠ np.ones((2, 2))
np.zeros(0) ≠ np.zeros((0, 1))
np.zeros(3, 'i4') ≠ np.zeros(3, 'i8')
np.zeros(3, 'i4') ≠ np.zeros(3, 'u4')
np.zeros(3, 'i4') ≠ np.zeros(3, 'f4')
np.zeros(3, '<i4') ≠ np.zeros(3, '>i4')
np.zeros(8, 'b') ≠ np.zeros(8, '?')
np.zeros(1, 'S2') ≠ np.zeros(1, 'V2')
np.array(['a']) ≠ np.array(['a'], 'U2')
np.array(['a']) ≠ np.array(['a'], object)
np.array(['a']) ≠ np.array(['a'], 'T')
np.array([0.0]) ≠ np.array([-0.0])
np.array([nan(0)]) ≠ np.array([nan(1)])
np.zeros(1, 'g') ≠ -np.zeros(1, 'g')
np.zeros(2, 'M8[s]') ≠ np.zeros(2, 'M8[ms]')
np.zeros(2, 'M8[s]') ≠ np.zeros(2, 'm8[s]')
np.array(1) ≠ np.int64(1)
np.array(1) ≠ np.array([1])
np.int64(1) ≠ 1
np.float64(1) ≠ 1.0
np.float64(1) ≠ np.float32(1)
np.float64(0.0) ≠ np.float64(-0.0)
np.str_('a') ≠ 'a'
np.bool_(True) ≠ True
np.datetime64('2020', 's') ≠ np.datetime64('2020', 'ms')
np.zeros(2, 'i4,i4') ≠ np.zeros(2, 'i8')
np.zeros(2, [('a', 'i4')]) ≠ np.zeros(2, [('b', 'i4')])
np.zeros(2, np.dtype('i4', metadata={'a': 1})) ≠ np.zeros(2, 'i4')
np.zeros(2, [('a', 'i1'), ('b', 'i8')]) ≠ np.zeros(2, np.dtype([('a', 'i1'), ('b', 'i8')], align=True))
np.zeros(2, [('a', 'i4')]) ≠ np.zeros(2, [('a', 'i4')]).view(np.recarray)
np.array([1, None]) ≠ np.array([True, None])
np.array([[1], None], object) ≠ np.array([[2], None], object)
np.array([1, 'O'], object) ≠ np.array([1, b'O'], object)
np.matrix([[1]]) ≠ np.array([[1]])
np.ones(3).view(Tagged) ≠ np.ones(3)
np.ones(3).view(Tagged) ≠ with_attributes(np.ones(3).view(Tagged), x=1)
np.ma.array([1, 2], mask=[0, 1]) ≠ np.ma.array([1, 2], mask=[1, 0])
np.ma.array([1, 2], mask=[0, 1]) ≠ np.ma.array([1, 3], mask=[0, 1])
np.ma.array([1, 2]) ≠ np.ma.array([1, 2], mask=[0, 0])
np.ma.array([1, 2], fill_value=3) ≠ np.ma.array([1, 2], fill_value=4)
np.ma.array([1, 2]) ≠ np.array([1, 2])
(lambda a: (a.setflags(write=False), a)[1])(np.ones(3)) ≠ np.ones(3)
np.arange(10)[::2] ≠ np.arange(1, 11)[::2]
np.arange(20).reshape(4, 5)[:, ::2] ≠ np.arange(20).reshape(4, 5)[:, 1::2]
np.broadcast_to(1, (2, 3)) ≠ np.broadcast_to(1, (3, 2))
np.broadcast_to(1, (2, 3)) ≠ np.broadcast_to(2, (2, 3))
(lambda a: [a, a[:]])(np.ones(3)) ≠ [np.ones(3), np.ones(3)]
(lambda a: [a, a[1:]])(np.ones(4)) ≠ (lambda a: [a, a[:-1]])(np.ones(4))
(lambda b: [b, np.frombuffer(b, 'u1')])(bytearray(2)) ≠ [bytearray(2), np.frombuffer(bytearray(2), 'u1')]
np.random.default_rng(1) ≠ np.random.default_rng(2)
np.random.RandomState(1) ≠ np.random.RandomState(2)
np.sin ≠ np.cos
np.sum ≠ np.mean
np.dtype('i4') ≠ np.dtype('>i4')
np.dtype('i4') ≠ 'i4'
"""

PANDAS = """
pd.DataFrame({'a': [1]}) ≠ pd.DataFrame({'b': [1]})
pd.DataFrame({'a': [1], 'b': [1]}) ≠ pd.DataFrame({'b': [1], 'a': [1]})
pd.DataFrame({'a': [1], 'b': [2]}) ≠ pd.DataFrame({'a': [2], 'b': [1]})
pd.DataFrame({'a': [1], 'b': [2.0]}) ≠ pd.DataFrame({'a': [1.0], 'b': [2]})
pd.DataFrame({'a': [1]}) ≠ pd.DataFrame({'a': [1.0]})
pd.DataFrame({'a': [1]}) ≠ pd.Series([1], name='a')
pd.DataFrame({'a': [1, 2]}) ≠ pd.DataFrame({'a': [1, 2]}, index=[0, 1])
pd.DataFrame({'a': [1, 2]}) ≠ pd.DataFrame({'a': [1, 2]}, index=[1, 0])
pd.DataFrame({'a': [1]}) ≠ pd.DataFrame({'a': [1]}).rename_axis('i')
pd.DataFrame({'a': [1]}) ≠ pd.DataFrame({'a': [1]}).rename_axis(columns='c')
pd.DataFrame({'a': [1]}) ≠ with_attributes(pd.DataFrame({'a': [1]}), attrs={'x': 1})
pd.DataFrame({'a': [1]}) ≠ with_attributes(pd.DataFrame({'a': [1]}), extra=5)
pd.DataFrame({'a': [1]}) ≠ pd.DataFrame({'a': [1]}).set_flags(allows_duplicate_labels=False)
pd.DataFrame({'a': [1]}) ≠ Table({'a': [1]})
Table({'a': [1]}) ≠ with_attributes(Table({'a': [1]}), unit='m')
pd.DataFrame([[1, 2]], columns=['a', 'a']) ≠ pd.DataFrame([[2, 1]], columns=['a', 'a'])
pd.DataFrame({1: [1]}) ≠ pd.DataFrame({'1': [1]})
pd.DataFrame(np.arange(6).reshape(3, 2)) ≠ pd.DataFrame(np.arange(6).reshape(2, 3).T)
pd.DataFrame() ≠ pd.DataFrame(index=[0])
pd.DataFrame(columns=['a']) ≠ pd.DataFrame(columns=['b'])
pd.Series([1]) ≠ pd.Series([1], name='a')
pd.Series([1], name='a') ≠ pd.Series([1], name='b')
pd.Series([1]) ≠ pd.Series([1], dtype='Int64')
pd.Series([1]) ≠ pd.Series([1], dtype='int64[pyarrow]')
pd.Series(['a']) ≠ pd.Series(['a'], dtype=object)
pd.Series(['a'], dtype=pd.StringDtype('python')) ≠ pd.Series(['a'], dtype=pd.StringDtype('pyarrow'))
pd.Series(['a'], dtype=pd.StringDtype()) ≠ pd.Series(['a'], dtype='str')
pd.Series(['a', 'b']) ≠ pd.Series(['ab', ''])
pd.Series(['a-b', 'c'], dtype=object) ≠ pd.Series(['a', 'b-c'], dtype=object)
pd.Series([1, None], dtype=object) ≠ pd.Series([1, np.nan], dtype=object)
pd.Series([True, 1], dtype=object) ≠ pd.Series([1, True], dtype=object)
pd.Series([1, None], dtype='Int64') ≠ pd.Series([1, 2], dtype='Int64')
pd.Series(['a'], dtype='category') ≠ pd.Series(['a'])
pd.Categorical(['a'], ['a', 'b']) ≠ pd.Categorical(['a'], ['b', 'a'])
pd.Categorical(['a'], ['a']) ≠ pd.Categorical(['a'], ['a', 'b'])
pd.Categorical(['a'], ordered=True) ≠ pd.Categorical(['a'])
pd.CategoricalDtype(['a']) ≠ pd.CategoricalDtype(['b'])
pd.to_datetime(['2020']).tz_localize('UTC') ≠ pd.to_datetime(['2020'])
pd.to_datetime(['2020']).tz_localize('UTC') ≠ pd.to_datetime(['2020']).tz_localize('Europe/London')
pd.to_datetime(['2020']).as_unit('s') ≠ pd.to_datetime(['2020']).as_unit('ns')
pd.date_range('2020', periods=3) ≠ pd.DatetimeIndex(list(pd.date_range('2020', periods=3)))
pd.Series(pd.to_datetime(['2020'])) ≠ pd.Series(pd.to_datetime(['2021']))
pd.Series(pd.to_datetime(['2020'], utc=True)) ≠ pd.Series(pd.to_datetime(['2021'], utc=True))
pd.period_range('2020', periods=2, freq='M') ≠ pd.period_range('2020', periods=2, freq='Q')
pd.interval_range(0, 2) ≠ pd.interval_range(0, 2, closed='left')
pd.interval_range(0, 2) ≠ pd.interval_range(1, 3)
pd.arrays.SparseArray([0, 1]) ≠ pd.arrays.SparseArray([1, 0])
pd.arrays.SparseArray([0, 1]) ≠ pd.arrays.SparseArray([0, 1], fill_value=1)
pd.RangeIndex(3) ≠ pd.Index([0, 1, 2])
pd.Index([1]) ≠ pd.Index([1], name='a')
pd.Index([1, 2]) ≠ pd.Index([2, 1])
pd.MultiIndex.from_tuples([(1, 2)]) ≠ pd.MultiIndex.from_tuples([(2, 1)])
pd.MultiIndex.from_tuples([(1, 2)]) ≠ pd.MultiIndex.from_tuples([(1, 2)], names=['a', 'b'])
pd.MultiIndex.from_tuples([(1, 'a'), (2, 'b')]) ≠ pd.MultiIndex.from_tuples([(1, 'b'), (2, 'a')])
pd.Timestamp('2020') ≠ pd.Timestamp('2020', tz='UTC')
pd.Timestamp('2020').as_unit('s') ≠ pd.Timestamp('2020').as_unit('ns')
pd.Timestamp('2020-01-01 00:00:00.000000001') ≠ pd.Timestamp('2020-01-01').as_unit('ns')
pd.NaT ≠ pd.NA
pd.NA ≠ None
pd.offsets.MonthEnd(1) ≠ pd.offsets.MonthEnd(2)
pd.DataFrame({'a': [1, 2]}).groupby('a') ≠ pd.DataFrame({'a': [1, 3]}).groupby('a')
"""

ARROW = """
pa.array([1, 2]) ≠ pa.array([1, 3])
pa.array([1, 2]) ≠ pa.array([1, 2], pa.int32())
pa.array([1, 2]) ≠ pa.chunked_array([[1, 2]])
pa.array([1, None]) ≠ pa.array([1, 0])
pa.array(['a', 'b']) ≠ pa.array(['ab', ''])
pa.array(['a', None]) ≠ pa.array(['a', ''])
pa.array(['a']) ≠ pa.array(['a'], pa.large_string())
pa.array(range(9))[1:3] ≠ pa.array(range(9))[2:4]
pa.array('abcdef')[1:3] ≠ pa.array('abcdef')[2:4]
pa.array([[1], [2, 3]]) ≠ pa.array([[1, 2], [3]])
pa.array([{'a': 1}]) ≠ pa.array([{'b': 1}])
pa.array(['x', 'y']).dictionary_encode() ≠ pa.array(['x', 'y'])
pa.chunked_array([['a', 'b']]) ≠ pa.chunked_array([['a'], ['b']])
pa.table({'a': [1]}) ≠ pa.table({'b': [1]})
pa.table({'a': [1]}) ≠ pa.table({'a': [1]}).replace_schema_metadata({'x': 'y'})
pa.table({'a': range(9)}).slice(1, 2) ≠ pa.table({'a': range(9)}).slice(2, 2)
pa.table({'a': range(9)}).slice(1, 2) ≠ pa.table({'a': range(9)}).slice(1, 3)
pa.int64() ≠ pa.int32()
pa.timestamp('us') ≠ pa.timestamp('us', 'UTC')
pa.scalar(1) ≠ pa.scalar(1, pa.int32())
pa.field('a', pa.int64()) ≠ pa.field('a', pa.int64(), nullable=False)
pa.py_buffer(b'a') ≠ b'a'
pl.DataFrame({'a': [1]}) ≠ pl.DataFrame({'b': [1]})
pl.DataFrame({'a': [1]}) ≠ pl.DataFrame({'a': [1.0]})
pl.DataFrame({'a': [1]}) ≠ pl.DataFrame({'a': [2]})
pl.DataFrame({'a': [1]}) ≠ pd.DataFrame({'a': [1]})
pl.DataFrame({'a': [1, None]}) ≠ pl.DataFrame({'a': [1, 0]})
pl.Series([1]) ≠ pl.Series('a', [1])
pl.Series([1]) ≠ pl.DataFrame({'': [1]})
pl.Series(['a']) ≠ pl.Series(['a'], dtype=pl.Categorical)
pl.Series(['a'], dtype=pl.Enum(['a'])) ≠ pl.Series(['a'], dtype=pl.Enum(['a', 'b']))
pl.Series([Point(1)], dtype=pl.Object) ≠ pl.Series([Point(2)], dtype=pl.Object)
pl.Series([0], dtype=pl.Datetime('us')) ≠ pl.Series([0], dtype=pl.Datetime('us', 'UTC'))
pl.Series([1, 2, 3])[1:] ≠ pl.Series([1, 2, 3])[:2]
pl.col('a') + 1 ≠ pl.col('a') + 2
"""


def lines(*tables: str) -> list[str]:
    return [line for table in tables for line in table.strip().splitlines()]


@pytest.mark.parametrize("line", lines(PLAIN, CONTAINERS, OBJECTS, LIBRARY, NUMPY, PANDAS, ARROW))
def test_differ(line: str) -> None:
    left, right = (eval(side, dict(NAMES)) for side in line.split(" ≠ "))
    for wrap in (lambda value: value, lambda value: [value], lambda value: {"a": (value, 1)}):
        one, two = digest(wrap(left)), digest(wrap(right))
        assert one[0] == two[0] == "c", "these can be read"
        assert one != two
