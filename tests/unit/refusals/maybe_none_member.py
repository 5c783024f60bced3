# u32 a
def program(a):
    k = keys.lookup(a)
    return k.disk


# refused:
# maybe_none_member.py:4:12: this Key * may be None here
#   return k.disk
#          ^
#   hint: test it first: 'if x is None: return'
