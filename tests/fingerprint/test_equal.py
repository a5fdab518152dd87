"""Equal values made twice have one digest: in one process, in another with another hash seed, however they were made."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys

import pytest

from tests.fingerprint.test_differ import ARROW, CONTAINERS, LIBRARY, NUMPY, OBJECTS, PANDAS, PLAIN, lines
from tests.fingerprint.values import NAMES, digest

# Each side of each line of the other table, made twice.
SIDES = sorted(
    {side for line in lines(PLAIN, CONTAINERS, OBJECTS, LIBRARY, NUMPY, PANDAS, ARROW) for side in line.split(" ≠ ")}
)

# Two ways to the same value.
WAYS = """
'ab' == ''.join(['a', 'b'])
10**30 == int('1' + '0' * 30)
[1, 2] == list(range(1, 3))
['x'] * 9 == [chr(120) for _ in range(9)]
[(1, 2)] * 9 == [tuple([1, 2]) for _ in range(9)]
[(), ()] == [tuple([]), tuple([])]
{3, 1, 2} == {2, 3, 1}
set('abcdefgh') == set('hgfedcba')
{(1, 'a'), (2, 'b'), None, 'c', 1.5} == {'c', (2, 'b'), 1.5, None, (1, 'a')}
frozenset({frozenset('ab'), frozenset('cd')}) == frozenset({frozenset('dc'), frozenset('ba')})
{Frozen(1), Frozen(2), Frozen(3)} == {Frozen(3), Frozen(2), Frozen(1)}
{Color.RED, Color.BLUE} == {Color.BLUE, Color.RED}
[fractions.Fraction(1, 2)] * 2 == [fractions.Fraction(1, 2), fractions.Fraction(2, 4)]
np.arange(4.0) == np.array([0.0, 1, 2, 3])
np.arange(4.0)[1:] == np.array([1.0, 2, 3])
np.array([[1, 2], [3, 4]]).T == np.array([[1, 3], [2, 4]], order='F')
np.array(['a', None], object) == np.array(['xa'[1:], None], object)
np.ma.array([1, 2]) == (lambda m: (m.fill_value, m)[1])(np.ma.array([1, 2]))
pd.DataFrame({'a': [1, 2], 'b': [3, 4]}) == pd.DataFrame({'a': [1, 2]}).assign(b=[3, 4])
pd.DataFrame({'a': [1, 2], 'b': [3, 4]}) == pd.DataFrame([[1, 3], [2, 4]], columns=['a', 'b'])
pd.DataFrame(np.ones((3, 2))) == pd.DataFrame(np.ones((2, 3)).T)
pd.DataFrame(np.arange(8).reshape(4, 2), copy=False)[::2].reset_index(drop=True) == pd.DataFrame([[0, 1], [4, 5]])
pd.DataFrame({'a': [1.0, 2], 'b': ['x', 'y']}) == (lambda f: (f.describe(), f.values, f.mean(numeric_only=True), f)[-1])(pd.DataFrame({'a': [1.0, 2], 'b': ['x', 'y']}))
pd.DataFrame({'a': range(300)}) == pd.DataFrame({'a': range(500)})[:300]
pd.Index(['a', 'b']) == (lambda i: (i.get_loc('a'), i.is_unique, i)[-1])(pd.Index(['a', 'b']))
pd.date_range('2020', periods=3) == (lambda i: (i.inferred_freq, i.year, i)[-1])(pd.date_range('2020', periods=3))
pd.Series(['a', 'b', 'c'])[1:].reset_index(drop=True) == pd.Series(['b', 'c'])
pd.DataFrame({'a': [1, 1], 'b': [1, 2]}).groupby('a') == (lambda g: (g.mean(), g.groups, g)[-1])(pd.DataFrame({'a': [1, 1], 'b': [1, 2]}).groupby('a'))
pa.array(range(9))[2:4] == pa.array([2, 3])
pa.array(['a', None, 'bcd', 'e'])[1:3] == pa.array([None, 'bcd'])
pa.array(['a', None, 'bcd', 'e'])[:2] == pa.array(['a', None])
pa.array([True, None, False, True])[1:3] == pa.array([None, False])
pa.array([[1], None, [2, 3], [4]])[1:3] == pa.array([None, [2, 3]])
pa.array([['ab'], None, ['c', 'd'], []])[1:3] == pa.array([None, ['c', 'd']])
pa.array([{'a': 'x'}, None, {'a': 'y'}])[1:] == pa.array([None, {'a': 'y'}])
pa.table({'a': ['x', 'y', 'z']}).slice(1, 1) == pa.table({'a': ['y']})
pl.DataFrame({'a': [1, 2]}) == pl.DataFrame({'a': [2, 1]}).sort('a')
function('def f(x):\\n    return x + 1') == function('# moved\\n\\ndef f(x):  # said\\n    return (x +\\n        1)')
function('class A:\\n    k = 1\\n    def m(self): return 2') == function('\\n\\nclass A:\\n    k = 1\\n\\n    def m(self):\\n        return 2')
Level.ONE == Level(1)
"""


@pytest.mark.parametrize("side", SIDES)
def test_made_twice(side: str) -> None:
    one, two = eval(side, dict(NAMES)), eval(side, dict(NAMES))
    assert digest(one) == digest(two)
    assert digest(one) == digest(one), "reading it changed nothing"


@pytest.mark.parametrize("line", lines(WAYS))
def test_two_ways(line: str) -> None:
    left, right = (eval(side, dict(NAMES)) for side in line.split(" == "))
    assert digest(left) == digest(right)
    assert digest([left]) == digest([right])
    assert digest(left)[0] == "c"


def test_processes_and_hash_seeds() -> None:
    sides = [side for side in SIDES if "object()" not in side] + [
        side for line in lines(WAYS) if "function(" not in line for side in line.split(" == ")
    ]
    program = (
        "import json, sys\n"
        "from tests.fingerprint.values import NAMES, digest\n"
        "print(json.dumps([digest(eval(side, dict(NAMES))) for side in json.load(sys.stdin)]))"
    )
    answers = []
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(sides),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(json.loads(run.stdout))
    mine = [digest(eval(side, dict(NAMES))) for side in sides]
    assert [side for side, *all in zip(sides, mine, *answers, strict=True) if len({*all}) > 1] == []


COPIES = [
    "[1, [2, {'a': {3}}]]",
    "Point(1, [2])",
    "Slots(a=[1])",
    "shared([1])",
    "cycle(1, 2)",
    "{Frozen(1): [1]}",
    "ValueError('a', [1])",
    "np.arange(5)",
    "np.ma.array([1, 2], mask=[0, 1])",
    "pd.DataFrame({'a': [1, 2], 'b': ['x', 'y'], 'c': pd.Categorical(['u', 'v'])})",
    "pd.date_range('2020', periods=3, tz='Europe/Paris')",
    "pd.MultiIndex.from_tuples([(1, 'a'), (2, 'b')])",
    "pa.table({'a': [1, None], 'b': ['x', 'y']})",
    "pl.DataFrame({'a': [1, None], 'b': ['x', 'y']})",
    "random.Random(1)",
    "np.random.default_rng(1)",
]


@pytest.mark.parametrize("made", COPIES)
def test_copies(made: str) -> None:
    value = eval(made, dict(NAMES))
    assert digest(copy.deepcopy(value)) == digest(value)
    assert digest(pickle.loads(pickle.dumps(value, 4))) == digest(
        value
    )  # 5 puts an array on a buffer that others may hold
