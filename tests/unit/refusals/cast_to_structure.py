# u64 a
def program(a):
    return bpf.cast(a, 'struct task_struct').pid


# refused:
# cast_to_structure.py:3:12: a value cannot become struct task_struct
#   return bpf.cast(a, 'struct task_struct').pid
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
