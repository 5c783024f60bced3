def program():
    row = events.begin()
    row.append(bpf.comm())
    row.emit(pid=1)


# refused:
# record_of_one_text.py:2:11: Event has one text, not a list of them
#   row = events.begin()
#         ^^^^^^^^^^^^^^
#   hint: give it to emit(): emit(path=...)
