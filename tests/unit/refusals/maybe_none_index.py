# u64 a
def program(a):
    p = counts.lookup(a)
    return p[0]


# refused:
# maybe_none_index.py:4:12: this u64 * may be None here
#   return p[0]
#          ^^^^
#   hint: test it first: 'if x is None: return'
