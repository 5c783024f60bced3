# u64 a
def program(a):
    p = counts.lookup(a)
    if p:
        p[0] = 1


# refused:
# write_element.py:5:9: only names and fields can be assigned
#   p[0] = 1
#   ^^^^
