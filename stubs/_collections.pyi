"""The half of `collections` that is written in C, which typeshed does not know: it imports next to nothing."""

from collections import OrderedDict as OrderedDict
from collections import defaultdict as defaultdict
from collections import deque as deque
