def program():
    p = counts.of_task(bpf.task())
    return 1


# refused:
# storage_of_hash.py:2:9: 'counts' is a map of kind hash
#   p = counts.of_task(bpf.task())
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^
#   hint: this method needs kind="task_storage"
