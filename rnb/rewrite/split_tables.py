"""What well-known calls do: which change their arguments, draw, print, touch files, or the state of the process.

Guesses from names, kept apart from the passes that use them. A call that stands in no table is taken to change what
it is called on if it stands alone as a statement, and nothing otherwise.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# methods that leave their object as it is also when called for nothing but their effect
READONLY = words(
    "head tail describe info show plot hist boxplot sample display savefig save dump export print summary "
    "print_summary to_csv to_parquet to_excel to_json to_pickle to_html to_sql to_hdf to_feather to_markdown "
    "to_string to_latex write_image write_html write_json write_csv write_parquet debug warning error critical "
    "exception log items keys values get copy mean sum std var min max count nunique unique value_counts "
    "groupby pivot_table corr isna isnull notna dropna fillna score predict predict_proba evaluate transform "
    "format join split strip lower upper startswith endswith as_posix exists is_file is_dir mkdir unlink rmdir "
    "touch write_text write_bytes rename render "
    "sort_values sort_index reset_index set_index drop drop_duplicates agg aggregate assign query round astype "
    "melt stack unstack pivot merge nlargest nsmallest median quantile rank pct_change cumsum rolling resample "
    "clip isin between idxmin idxmax size tolist to_list to_dict to_numpy to_frame memory_usage select_dtypes "
    "cov explode duplicated interpolate reindex group_by with_columns select filter"
)
# methods that change their object also when their value is used
MUTATORS = words(
    "append appendleft extend extendleft insert remove clear sort reverse rotate update add discard pop popitem "
    "popleft setdefault fit partial_fit fit_transform fit_predict train backward step zero_grad send throw read "
    "readline readlines write writelines seek truncate execute executemany executescript fetchone fetchall "
    "fetchmany commit put get_nowait shuffle resize fill normal uniform integers choice random permutation "
    "standard_normal randint gauss sample_ add_argument add_mutually_exclusive_group add_subparsers "
    "add_argument_group add_node add_edge add_edges_from add_nodes_from minimize compile load_state_dict eval "
    "requires_grad_ next_batch"
)
# methods whose value is a part of their object: to change the one changes the other
PARTS = words(
    "add_subplot add_axes gca subplots subplot_mosaic twinx twiny secondary_xaxis secondary_yaxis inset_axes "
    "get_figure get setdefault ravel view reshape squeeze swapaxes transpose fit partial_fit cursor iterrows "
    "values items keys get_axes add_gridspec add_subplotspec subgridspec new_horizontal append_axes "
    "get_legend_handles_labels parameters get_xaxis get_yaxis add_argument_group add_mutually_exclusive_group "
    "add_subparsers add_parser subfigures plot scatter bar barh imshow contourf contour pcolormesh hist "
    "errorbar quiver text annotate add_patch add_artist add_collection legend colorbar fill_between axhline "
    "axvline plot_surface plot_wireframe set_title create_group create_dataset __getitem__"
)
FIRST_ARGUMENT = words(
    "shuffle heappush heappop heapify heapreplace heappushpop insort insort_left insort_right setattr delattr "
    "copyto fill_diagonal putmask put place setitem delitem next anext set_node_attributes set_edge_attributes"
)
CONTAINERS = words("append appendleft insert add update extend setdefault put push")
# functions that are called for their effect and leave their arguments alone
HARMLESS = words(
    "print pprint display len isinstance assert_equal assert_allclose assert_array_equal assert_almost_equal "
    "sleep exit quit warn info debug warning error log show imshow plot echo secho help dir repr breakpoint "
    "savetxt save savez savez_compressed makedirs mkdir remove unlink rmtree copy copyfile move run call "
    "check_call check_output Popen system imwrite imsave input collect print_exc print_stats md filterwarnings "
    "simplefilter"
)
GIVING = words("len isinstance dir repr fit fit_transform fit_predict get_nowait pop integers choice normal uniform")
LOOKS = re.compile(r"(^|_)(plot|draw|show|print|save|write|display|assert|log|report|export|register)(_|s?$)|plot$")
STATEFUL_CALLS = words(
    "open iter map filter zip enumerate reversed islice chain count cycle reader DictReader scandir iglob walk "
    "iterwalk fdopen urlopen Popen NamedTemporaryFile TemporaryFile groupby_ finditer product permutations "
    "combinations tee takewhile dropwhile starmap accumulate iterparse connect create_connection "
    "TemporaryDirectory"
)

PRINTS = words("print pprint display echo secho pp print_exc print_stats help system md display_html warn show info")
LOGS = words("debug info warning warn error critical exception log")
PYPLOT = ("matplotlib.pyplot", "pylab", "matplotlib.pylab")
DRAWS_AS_METHOD = words("plot hist boxplot")
AXES = re.compile(r"<figure>|_?(ax|fig|sub|host|par|inset|twin|left|right|top|bottom|main|cax|grid|g)[a-z]*_?\d*$")
DRAWING_MODULES = ("seaborn", "pandas.plotting", "scipy.cluster.hierarchy.dendrogram", "networkx.draw", "cartopy")
OPENS_FIGURE = words("figure subplots subplot_mosaic")

WRITES_FILE = words(
    "to_csv to_parquet to_excel to_json to_pickle to_html to_hdf to_feather to_markdown to_sql savefig save "
    "savez savetxt savez_compressed dump write_text write_bytes write_image write_html write_json write_csv "
    "write_parquet makedirs mkdir rmtree unlink rmdir copyfile copytree move urlretrieve imsave imwrite touch "
    "extractall system Popen check_call check_output rename symlink replace_file chmod savemat to_file "
    "to_netcdf to_zarr unpack_archive make_archive tofile write_graphml write_gml write_gexf write_edgelist "
    "write_adjlist"
)
WRITES_BY_MODULE = {
    "os": words(
        "remove replace rename unlink mkdir makedirs rmdir removedirs symlink link truncate chmod chown utime "
        "system popen"
    ),
    "shutil": words("copy copy2 copyfile copytree move rmtree"),
    "subprocess": words("run call check_call check_output Popen getoutput"),
}
READS_FILE = words(
    "read_csv read_table read_json read_excel read_parquet read_pickle read_feather read_hdf read_html "
    "read_text read_bytes listdir glob iglob rglob iterdir exists isfile is_file is_dir isdir loadtxt "
    "genfromtxt imread read_graphml read_gml fromfile getsize stat scandir read_sql read_file open_dataset "
    "read_edgelist loadmat walk"
)
READS_BY_MODULE = {
    "numpy": words("load"),
    "json": words("load"),
    "pickle": words("load"),
    "joblib": words("load"),
}
WORLD_MODULES = ("requests", "urllib.request", "http.client", "socket", "httpx", "smtplib", "ftplib", "subprocess")
RANDOM_MODULES = ("random", "numpy.random")
OWN_RANDOM = words("default_rng RandomState Random SystemRandom Generator SeedSequence PCG64")

# calls whose value can be made at any time and never changes
LIGHT_CALLS = words(
    "re.compile pathlib.Path logging.getLogger collections.namedtuple typing.TypeVar typing.NewType "
    "typing.NamedTuple datetime.timedelta datetime.date datetime.datetime decimal.Decimal fractions.Fraction "
    "frozenset os.path.join os.path.dirname os.path.abspath os.path.realpath os.path.basename os.getenv "
    "os.environ.get int float str bool tuple complex bytes enum.Enum dataclasses.field typing.ParamSpec "
    "os.path.expanduser os.getcwd math.sqrt math.radians math.log math.exp range numpy.sqrt numpy.deg2rad "
    "numpy.radians numpy.log numpy.exp abs max min round len sum dict.fromkeys string.Template pathlib.PurePath "
    "sqlalchemy.create_engine uuid.UUID operator.itemgetter operator.attrgetter functools.partial threading.Lock threading.local"
)
LIGHT_METHODS = words(
    "parent resolve joinpath absolute with_suffix with_name upper lower split strip format join replace "
    "expanduser items keys values copy title"
)
# text that says "made by a constructor of a frame or an array", which other values do not hold on to
VALUES = words("DataFrame Series Index Path Counter Decimal Fraction Timestamp Timedelta Categorical Generator")
