# u32 a
def program(a):
    sizes.record(a, disk=1)


# refused:
# histogram_without_key.py:3:5: this histogram has no key
#   sizes.record(a, disk=1)
#   ^^^^^^^^^^^^^^^^^^^^^^^
