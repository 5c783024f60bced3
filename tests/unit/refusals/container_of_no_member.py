# u64 a
def program(a):
    return bpf.container_of(a, 'struct task_struct', 'comn').pid


# refused:
# container_of_no_member.py:3:12: struct task_struct has no member 'comn'
#   return bpf.container_of(a, 'struct task_struct', 'comn').pid
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
#   hint: it has comm
