# u64 a
def program(a):
    p = counts.lookup(a)
    if p is None:
        return 0
    for i in range(3):
        a += p.value
        p = counts.lookup(a)
    return a


# refused:
# none_forgotten_in_loop.py:7:14: this u64 * may be None here
#   a += p.value
#        ^^^^^^^
#   hint: test it first: 'if x is None: return'
