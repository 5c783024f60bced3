# u64 a
def program(a):
    p = counts.lookup(a)
    p.value = 3


# refused:
# maybe_none_write.py:4:5: this u64 * may be None here
#   p.value = 3
#   ^^^^^^^
#   hint: test it first: 'if x is None: return'
