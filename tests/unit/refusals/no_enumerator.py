def program():
    return bpf.enumerator('NO_SUCH_THING')


# refused:
# no_enumerator.py:2:12: this kernel has no enumerator NO_SUCH_THING
#   return bpf.enumerator('NO_SUCH_THING')
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#   hint: guard it with 'if bpf.has_enumerator(...):'
