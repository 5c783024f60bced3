# u64 a
def program(a):
    return a in (1, 2) in (1, 2)


# refused:
# membership_in_chain.py:3:17: another comparison behind 'in (…)' is not allowed in kernel-side code
#   return a in (1, 2) in (1, 2)
#               ^^^^^^
