def program():
    return bpf.u32(counts)


# refused:
# cast_of_map.py:2:12: the Python object MapObject is no number
#   return bpf.u32(counts)
#          ^^^^^^^^^^^^^^^
