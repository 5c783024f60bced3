def program():
    return bpf.address(counts)


# refused:
# address_of_map.py:2:12: the Python object MapObject has no address
#   return bpf.address(counts)
#          ^^^^^^^^^^^^^^^^^^^
