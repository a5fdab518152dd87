"""What a value is, as one stream of bytes: two values give the same stream only if a user could not tell them apart.

`walk` owns the stream and the traversal; every other file here says how one family of types is written into it.
Library handlers are imported once a value of that library shows up; no library is ever imported from here.
"""
