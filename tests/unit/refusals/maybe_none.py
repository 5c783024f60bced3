# u64 a
def program(a):
    p = counts.lookup(a)
    return p.value


# refused:
# maybe_none.py:4:12: this u64 * may be None here
#   return p.value
#          ^^^^^^^
#   hint: test it first: 'if x is None: return'
