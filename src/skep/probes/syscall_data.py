# ruff: noqa: E501
"""System calls of Linux 7.2, written by scripts/generate_syscalls.py.

`NUMBERS` has a line per name: the numbers for x86_64, i386, arm64 and arm, "-" where
the ABI lacks the call, each with the kernel function behind it unless that is "sys_"
and the name.

`PROTOTYPES` has the parameters of those functions.  "_" is a register that the ABI
leaves unused, ":2" a 64-bit value in two registers, the low half first.
"""

NUMBERS = """
_llseek - 140:sys_llseek - 140:sys_llseek
_newselect - 142:compat_sys_select - 142:compat_sys_select
accept 43 - 202 285
accept4 288 364 242 366
access 21 33 - 33
acct 163 51 89 51
add_key 248 286 217 309
adjtimex 159 124:sys_adjtimex_time32 171 124:sys_adjtimex_time32
alarm 37 27 - -
arch_prctl 158 384 - -
arm_fadvise64_64 - - - 270:compat_sys_aarch32_fadvise64_64
arm_sync_file_range - - - 341:compat_sys_aarch32_sync_file_range2
bind 49 361 200 282
bpf 321 357 280 386
brk 12 45 214 45
cachestat 451 451 451 451
capget 125 184 90 184
capset 126 185 91 185
chdir 80 12 49 12
chmod 90 15 - 15
chown 92 182:sys_chown16 - 182:sys_chown16
chown32 - 212:sys_chown - 212:sys_chown
chroot 161 61 51 61
clock_adjtime 305 343:sys_clock_adjtime32 266 372:sys_clock_adjtime32
clock_adjtime64 - 405:sys_clock_adjtime - 405:sys_clock_adjtime
clock_getres 229 266:sys_clock_getres_time32 114 264:sys_clock_getres_time32
clock_getres_time64 - 406:sys_clock_getres - 406:sys_clock_getres
clock_gettime 228 265:sys_clock_gettime32 113 263:sys_clock_gettime32
clock_gettime64 - 403:sys_clock_gettime - 403:sys_clock_gettime
clock_nanosleep 230 267:sys_clock_nanosleep_time32 115 265:sys_clock_nanosleep_time32
clock_nanosleep_time64 - 407:sys_clock_nanosleep - 407:sys_clock_nanosleep
clock_settime 227 264:sys_clock_settime32 112 262:sys_clock_settime32
clock_settime64 - 404:sys_clock_settime - 404:sys_clock_settime
clone 56:sys_clone@x86_64 120:compat_sys_ia32_clone 220 120
clone3 435 435 435 435
close 3 6 57 6
close_range 436 436 436 436
connect 42 362 203 283
copy_file_range 326 377 285 391
creat 85 8 - 8
delete_module 176 129 106 129
dup 32 41 23 41
dup2 33 63 - 63
dup3 292 330 24 358
epoll_create 213 254 - 250
epoll_create1 291 329 20 357
epoll_ctl 233 255 21 251
epoll_pwait 281 319 22 346:compat_sys_epoll_pwait
epoll_pwait2 441 441:compat_sys_epoll_pwait2 441 441:compat_sys_epoll_pwait2
epoll_wait 232 256 - 252
eventfd 284 323 - 351
eventfd2 290 328 19 356
execve 59 11:compat_sys_execve 221 11:compat_sys_execve
execveat 322 358:compat_sys_execveat 281 387:compat_sys_execveat
exit 60 1 93 1
exit_group 231 252 94 248
faccessat 269 307 48 334
faccessat2 439 439 439 439
fadvise64 221 250:sys_ia32_fadvise64 223:sys_fadvise64_64 -
fadvise64_64 - 272:sys_ia32_fadvise64_64 - -
fallocate 285 324:sys_ia32_fallocate 47 352:compat_sys_aarch32_fallocate
fanotify_init 300 338 262 367
fanotify_mark 301 339:compat_sys_fanotify_mark 263 368:compat_sys_fanotify_mark
fchdir 81 133 50 133
fchmod 91 94 52 94
fchmodat 268 306 53 333
fchmodat2 452 452 452 452
fchown 93 95:sys_fchown16 55 95:sys_fchown16
fchown32 - 207:sys_fchown - 207:sys_fchown
fchownat 260 298 54 325
fcntl 72 55:compat_sys_fcntl64 25 55:compat_sys_fcntl
fcntl64 - 221:compat_sys_fcntl64 - 221:compat_sys_fcntl64
fdatasync 75 148 83 148
fgetxattr 193 231 10 231
file_getattr 468 468 468 468
file_setattr 469 469 469 469
finit_module 313 350 273 379
flistxattr 196 234 13 234
flock 73 143 32 143
fork 57 2 - 2
fremovexattr 199 237 16 237
fsconfig 431 431 431 431
fsetxattr 190 228 7 228
fsmount 432 432 432 432
fsopen 430 430 430 430
fspick 433 433 433 433
fstat 5:sys_newfstat 108:compat_sys_newfstat 80:sys_newfstat 108:compat_sys_newfstat
fstat64 - 197:compat_sys_ia32_fstat64 - 197
fstatat64 - 300:compat_sys_ia32_fstatat64 - 327
fstatfs 138 100:compat_sys_fstatfs 44 100:compat_sys_fstatfs
fstatfs64 - 269:compat_sys_fstatfs64 - 267:compat_sys_aarch32_fstatfs64
fsync 74 118 82 118
ftruncate 77 93:compat_sys_ftruncate 46 93:compat_sys_ftruncate
ftruncate64 - 194:sys_ia32_ftruncate64 - 194:compat_sys_aarch32_ftruncate64
futex 202 240:sys_futex_time32 98 240:sys_futex_time32
futex_requeue 456 456 456 456
futex_time64 - 422:sys_futex - 422:sys_futex
futex_wait 455 455 455 455
futex_waitv 449 449 449 449
futex_wake 454 454 454 454
futimesat 261 299:sys_futimesat_time32 - 326:sys_futimesat_time32
get_mempolicy 239 275 236 320
get_robust_list 274 312:compat_sys_get_robust_list 100 339:compat_sys_get_robust_list
get_thread_area - 244 - -
getcpu 309 318 168 345
getcwd 79 183 17 183
getdents 78 141:compat_sys_getdents - 141:compat_sys_getdents
getdents64 217 220 61 217
getegid 108 50:sys_getegid16 177 50:sys_getegid16
getegid32 - 202:sys_getegid - 202:sys_getegid
geteuid 107 49:sys_geteuid16 175 49:sys_geteuid16
geteuid32 - 201:sys_geteuid - 201:sys_geteuid
getgid 104 47:sys_getgid16 176 47:sys_getgid16
getgid32 - 200:sys_getgid - 200:sys_getgid
getgroups 115 80:sys_getgroups16 158 80:sys_getgroups16
getgroups32 - 205:sys_getgroups - 205:sys_getgroups
getitimer 36 105:compat_sys_getitimer 102 105:compat_sys_getitimer
getpeername 52 368 205 287
getpgid 121 132 155 132
getpgrp 111 65 - 65
getpid 39 20 172 20
getppid 110 64 173 64
getpriority 140 96 141 96
getrandom 318 355 278 384
getresgid 120 171:sys_getresgid16 150 171:sys_getresgid16
getresgid32 - 211:sys_getresgid - 211:sys_getresgid
getresuid 118 165:sys_getresuid16 148 165:sys_getresuid16
getresuid32 - 209:sys_getresuid - 209:sys_getresuid
getrlimit 97 76:compat_sys_old_getrlimit 163 -
getrusage 98 77:compat_sys_getrusage 165 77:compat_sys_getrusage
getsid 124 147 156 147
getsockname 51 367 204 286
getsockopt 55 365 209 295
gettid 186 224 178 224
gettimeofday 96 78:compat_sys_gettimeofday 169 78:compat_sys_gettimeofday
getuid 102 24:sys_getuid16 174 24:sys_getuid16
getuid32 - 199:sys_getuid - 199:sys_getuid
getxattr 191 229 8 229
getxattrat 464 464 464 464
init_module 175 128 105 128
inotify_add_watch 254 292 27 317
inotify_init 253 291 - 316
inotify_init1 294 332 26 360
inotify_rm_watch 255 293 28 318
io_cancel 210 249 3 247
io_destroy 207 246 1 244
io_getevents 208 247:sys_io_getevents_time32 4 245:sys_io_getevents_time32
io_pgetevents 333 385:compat_sys_io_pgetevents 292 399:compat_sys_io_pgetevents
io_pgetevents_time64 - 416:compat_sys_io_pgetevents_time64 - 416:compat_sys_io_pgetevents_time64
io_setup 206 245:compat_sys_io_setup 0 243:compat_sys_io_setup
io_submit 209 248:compat_sys_io_submit 2 246:compat_sys_io_submit
io_uring_enter 426 426 426 426
io_uring_register 427 427 427 427
io_uring_setup 425 425 425 425
ioctl 16 54:compat_sys_ioctl 29 54:compat_sys_ioctl
ioperm 173 101 - -
iopl 172 110 - -
ioprio_get 252 290 31 315
ioprio_set 251 289 30 314
ipc - 117:compat_sys_ipc - -
kcmp 312 349 272 378
kexec_file_load 320 - 294 401
kexec_load 246 283:compat_sys_kexec_load 104 347:compat_sys_kexec_load
keyctl 250 288:compat_sys_keyctl 219 311:compat_sys_keyctl
kill 62 37 129 37
landlock_add_rule 445 445 445 445
landlock_create_ruleset 444 444 444 444
landlock_restrict_self 446 446 446 446
lchown 94 16:sys_lchown16 - 16:sys_lchown16
lchown32 - 198:sys_lchown - 198:sys_lchown
lgetxattr 192 230 9 230
link 86 9 - 9
linkat 265 303 37 330
listen 50 363 201 284
listmount 458 458 458 458
listns 470 470 470 470
listxattr 194 232 11 232
listxattrat 465 465 465 465
llistxattr 195 233 12 233
lremovexattr 198 236 15 236
lseek 8 19:compat_sys_lseek 62 19:compat_sys_lseek
lsetxattr 189 227 6 227
lsm_get_self_attr 459 459 459 459
lsm_list_modules 461 461 461 461
lsm_set_self_attr 460 460 460 460
lstat 6:sys_newlstat 107:compat_sys_newlstat - 107:compat_sys_newlstat
lstat64 - 196:compat_sys_ia32_lstat64 - 196
madvise 28 219 233 220
map_shadow_stack 453 453 453 453
mbind 237 274 235 319
membarrier 324 375 283 389
memfd_create 319 356 279 385
memfd_secret 447 447 447 -
migrate_pages 256 294 238 400
mincore 27 218 232 219
mkdir 83 39 - 39
mkdirat 258 296 34 323
mknod 133 14 - 14
mknodat 259 297 33 324
mlock 149 150 228 150
mlock2 325 376 284 390
mlockall 151 152 230 152
mmap 9 90:compat_sys_ia32_mmap 222 -
mmap2 - 192:sys_mmap_pgoff - 192:compat_sys_aarch32_mmap2
modify_ldt 154 123 - -
mount 165 21 40 21
mount_setattr 442 442 442 442
move_mount 429 429 429 429
move_pages 279 317 239 344
mprotect 10 125 226 125
mq_getsetattr 245 282:compat_sys_mq_getsetattr 185 279:compat_sys_mq_getsetattr
mq_notify 244 281:compat_sys_mq_notify 184 278:compat_sys_mq_notify
mq_open 240 277:compat_sys_mq_open 180 274:compat_sys_mq_open
mq_timedreceive 243 280:sys_mq_timedreceive_time32 183 277:sys_mq_timedreceive_time32
mq_timedreceive_time64 - 419:sys_mq_timedreceive - 419:sys_mq_timedreceive
mq_timedsend 242 279:sys_mq_timedsend_time32 182 276:sys_mq_timedsend_time32
mq_timedsend_time64 - 418:sys_mq_timedsend - 418:sys_mq_timedsend
mq_unlink 241 278 181 275
mremap 25 163 216 163
mseal 462 462 462 462
msgctl 71 402:compat_sys_msgctl 187 304:compat_sys_old_msgctl
msgget 68 399 186 303
msgrcv 70 401:compat_sys_msgrcv 188 302:compat_sys_msgrcv
msgsnd 69 400:compat_sys_msgsnd 189 301:compat_sys_msgsnd
msync 26 144 227 144
munlock 150 151 229 151
munlockall 152 153 231 153
munmap 11 91 215 91
name_to_handle_at 303 341 264 370
nanosleep 35 162:sys_nanosleep_time32 101 162:sys_nanosleep_time32
newfstatat 262 - 79 -
nice - 34 - 34
oldfstat - 28:sys_fstat - -
oldlstat - 84:sys_lstat - -
oldolduname - 59:sys_olduname - -
oldstat - 18:sys_stat - -
olduname - 109:sys_uname - -
open 2 5:compat_sys_open - 5:compat_sys_open
open_by_handle_at 304 342:compat_sys_open_by_handle_at 265 371:compat_sys_open_by_handle_at
open_tree 428 428 428 428
open_tree_attr 467 467 467 467
openat 257 295:compat_sys_openat 56 322:compat_sys_openat
openat2 437 437 437 437
pause 34 29 - 29
pciconfig_read - - - 272
pciconfig_write - - - 273
perf_event_open 298 336 241 364
personality 135 136 92 136
pidfd_getfd 438 438 438 438
pidfd_open 434 434 434 434
pidfd_send_signal 424 424 424 424
pipe 22 42 - 42
pipe2 293 331 59 359
pivot_root 155 217 41 218
pkey_alloc 330 381 289 395
pkey_free 331 382 290 396
pkey_mprotect 329 380 288 394
poll 7 168 - 168
ppoll 271 309:compat_sys_ppoll_time32 73 336:compat_sys_ppoll_time32
ppoll_time64 - 414:compat_sys_ppoll_time64 - 414:compat_sys_ppoll_time64
prctl 157 172 167 172
pread64 17 180:sys_ia32_pread64 67 180:compat_sys_aarch32_pread64
preadv 295 333:compat_sys_preadv 69 361:compat_sys_preadv
preadv2 327 378:compat_sys_preadv2 286 392:compat_sys_preadv2
prlimit64 302 340 261 369
process_madvise 440 440 440 440
process_mrelease 448 448 448 448
process_vm_readv 310 347 270 376
process_vm_writev 311 348 271 377
pselect6 270 308:compat_sys_pselect6_time32 72 335:compat_sys_pselect6_time32
pselect6_time64 - 413:compat_sys_pselect6_time64 - 413:compat_sys_pselect6_time64
ptrace 101 26:compat_sys_ptrace 117 26:compat_sys_ptrace
pwrite64 18 181:sys_ia32_pwrite64 68 181:compat_sys_aarch32_pwrite64
pwritev 296 334:compat_sys_pwritev 70 362:compat_sys_pwritev
pwritev2 328 379:compat_sys_pwritev2 287 393:compat_sys_pwritev2
quotactl 179 131 60 131
quotactl_fd 443 443 443 443
read 0 3 63 3
readahead 187 225:sys_ia32_readahead 213 225:compat_sys_aarch32_readahead
readdir - 89:compat_sys_old_readdir - -
readlink 89 85 - 85
readlinkat 267 305 78 332
readv 19 145 65 145
reboot 169 88 142 88
recv - - - 291:compat_sys_recv
recvfrom 45 371:compat_sys_recvfrom 207 292:compat_sys_recvfrom
recvmmsg 299 337:compat_sys_recvmmsg_time32 243 365:compat_sys_recvmmsg_time32
recvmmsg_time64 - 417:compat_sys_recvmmsg_time64 - 417:compat_sys_recvmmsg_time64
recvmsg 47 372:compat_sys_recvmsg 212 297:compat_sys_recvmsg
remap_file_pages 216 257 234 253
removexattr 197 235 14 235
removexattrat 466 466 466 466
rename 82 38 - 38
renameat 264 302 38 329
renameat2 316 353 276 382
request_key 249 287 218 310
restart_syscall 219 0 128 0
rmdir 84 40 - 40
rseq 334 386 293 398
rseq_slice_yield 471 471 471 471
rt_sigaction 13 174:compat_sys_rt_sigaction 134 174:compat_sys_rt_sigaction
rt_sigpending 127 176:compat_sys_rt_sigpending 136 176:compat_sys_rt_sigpending
rt_sigprocmask 14 175:compat_sys_rt_sigprocmask 135 175:compat_sys_rt_sigprocmask
rt_sigqueueinfo 129 178:compat_sys_rt_sigqueueinfo 138 178:compat_sys_rt_sigqueueinfo
rt_sigreturn 15 173:compat_sys_rt_sigreturn 139 173:compat_sys_rt_sigreturn
rt_sigsuspend 130 179:compat_sys_rt_sigsuspend 133 179:compat_sys_rt_sigsuspend
rt_sigtimedwait 128 177:compat_sys_rt_sigtimedwait_time32 137 177:compat_sys_rt_sigtimedwait_time32
rt_sigtimedwait_time64 - 421:compat_sys_rt_sigtimedwait_time64 - 421:compat_sys_rt_sigtimedwait_time64
rt_tgsigqueueinfo 297 335:compat_sys_rt_tgsigqueueinfo 240 363:compat_sys_rt_tgsigqueueinfo
sched_get_priority_max 146 159 125 159
sched_get_priority_min 147 160 126 160
sched_getaffinity 204 242:compat_sys_sched_getaffinity 123 242:compat_sys_sched_getaffinity
sched_getattr 315 352 275 381
sched_getparam 143 155 121 155
sched_getscheduler 145 157 120 157
sched_rr_get_interval 148 161:sys_sched_rr_get_interval_time32 127 161:sys_sched_rr_get_interval_time32
sched_rr_get_interval_time64 - 423:sys_sched_rr_get_interval - 423:sys_sched_rr_get_interval
sched_setaffinity 203 241:compat_sys_sched_setaffinity 122 241:compat_sys_sched_setaffinity
sched_setattr 314 351 274 380
sched_setparam 142 154 118 154
sched_setscheduler 144 156 119 156
sched_yield 24 158 124 158
seccomp 317 354 277 383
select 23 82:compat_sys_old_select - -
semctl 66 394:compat_sys_semctl 191 300:compat_sys_old_semctl
semget 64 393 190 299
semop 65 - 193 298
semtimedop 220 - 192 312:sys_semtimedop_time32
semtimedop_time64 - 420:sys_semtimedop - 420:sys_semtimedop
send - - - 289
sendfile 40:sys_sendfile64 187:compat_sys_sendfile 71:sys_sendfile64 187:compat_sys_sendfile
sendfile64 - 239 - 239
sendmmsg 307 345:compat_sys_sendmmsg 269 374:compat_sys_sendmmsg
sendmsg 46 370:compat_sys_sendmsg 211 296:compat_sys_sendmsg
sendto 44 369 206 290
set_mempolicy 238 276 237 321
set_mempolicy_home_node 450 450 450 450
set_robust_list 273 311:compat_sys_set_robust_list 99 338:compat_sys_set_robust_list
set_thread_area - 243 - -
set_tid_address 218 258 96 256
setdomainname 171 121 162 121
setfsgid 123 139:sys_setfsgid16 152 139:sys_setfsgid16
setfsgid32 - 216:sys_setfsgid - 216:sys_setfsgid
setfsuid 122 138:sys_setfsuid16 151 138:sys_setfsuid16
setfsuid32 - 215:sys_setfsuid - 215:sys_setfsuid
setgid 106 46:sys_setgid16 144 46:sys_setgid16
setgid32 - 214:sys_setgid - 214:sys_setgid
setgroups 116 81:sys_setgroups16 159 81:sys_setgroups16
setgroups32 - 206:sys_setgroups - 206:sys_setgroups
sethostname 170 74 161 74
setitimer 38 104:compat_sys_setitimer 103 104:compat_sys_setitimer
setns 308 346 268 375
setpgid 109 57 154 57
setpriority 141 97 140 97
setregid 114 71:sys_setregid16 143 71:sys_setregid16
setregid32 - 204:sys_setregid - 204:sys_setregid
setresgid 119 170:sys_setresgid16 149 170:sys_setresgid16
setresgid32 - 210:sys_setresgid - 210:sys_setresgid
setresuid 117 164:sys_setresuid16 147 164:sys_setresuid16
setresuid32 - 208:sys_setresuid - 208:sys_setresuid
setreuid 113 70:sys_setreuid16 145 70:sys_setreuid16
setreuid32 - 203:sys_setreuid - 203:sys_setreuid
setrlimit 160 75:compat_sys_setrlimit 164 75:compat_sys_setrlimit
setsid 112 66 157 66
setsockopt 54 366 208 294
settimeofday 164 79:compat_sys_settimeofday 170 79:compat_sys_settimeofday
setuid 105 23:sys_setuid16 146 23:sys_setuid16
setuid32 - 213:sys_setuid - 213:sys_setuid
setxattr 188 226 5 226
setxattrat 463 463 463 463
sgetmask - 68 - -
shmat 30 397:compat_sys_shmat 196 305:compat_sys_shmat
shmctl 31 396:compat_sys_shmctl 195 308:compat_sys_old_shmctl
shmdt 67 398 197 306
shmget 29 395 194 307
shutdown 48 373 210 293
sigaction - 67:compat_sys_sigaction - 67:compat_sys_sigaction
sigaltstack 131 186:compat_sys_sigaltstack 132 186:compat_sys_sigaltstack
signal - 48 - -
signalfd 282 321:compat_sys_signalfd - 349:compat_sys_signalfd
signalfd4 289 327:compat_sys_signalfd4 74 355:compat_sys_signalfd4
sigpending - 73:compat_sys_sigpending - 73:compat_sys_sigpending
sigprocmask - 126:compat_sys_sigprocmask - 126:compat_sys_sigprocmask
sigreturn - 119:compat_sys_sigreturn - 119:compat_sys_sigreturn
sigsuspend - 72 - 72
socket 41 359 198 281
socketcall - 102:compat_sys_socketcall - -
socketpair 53 360 199 288
splice 275 313 76 340
ssetmask - 69 - -
stat 4:sys_newstat 106:compat_sys_newstat - 106:compat_sys_newstat
stat64 - 195:compat_sys_ia32_stat64 - 195
statfs 137 99:compat_sys_statfs 43 99:compat_sys_statfs
statfs64 - 268:compat_sys_statfs64 - 266:compat_sys_aarch32_statfs64
statmount 457 457 457 457
statx 332 383 291 397
stime - 25:sys_stime32 - -
swapoff 168 115 225 115
swapon 167 87 224 87
symlink 88 83 - 83
symlinkat 266 304 36 331
sync 162 36 81 36
sync_file_range 277 314:sys_ia32_sync_file_range 84 -
syncfs 306 344 267 373
sysfs 139 135 - 135
sysinfo 99 116:compat_sys_sysinfo 179 116:compat_sys_sysinfo
syslog 103 103 116 103
tee 276 315 77 342
tgkill 234 270 131 268
time 201 13:sys_time32 - -
timer_create 222 259:compat_sys_timer_create 107 257:compat_sys_timer_create
timer_delete 226 263 111 261
timer_getoverrun 225 262 109 260
timer_gettime 224 261:sys_timer_gettime32 108 259:sys_timer_gettime32
timer_gettime64 - 408:sys_timer_gettime - 408:sys_timer_gettime
timer_settime 223 260:sys_timer_settime32 110 258:sys_timer_settime32
timer_settime64 - 409:sys_timer_settime - 409:sys_timer_settime
timerfd_create 283 322 85 350
timerfd_gettime 287 326:sys_timerfd_gettime32 87 354:sys_timerfd_gettime32
timerfd_gettime64 - 410:sys_timerfd_gettime - 410:sys_timerfd_gettime
timerfd_settime 286 325:sys_timerfd_settime32 86 353:sys_timerfd_settime32
timerfd_settime64 - 411:sys_timerfd_settime - 411:sys_timerfd_settime
times 100 43:compat_sys_times 153 43:compat_sys_times
tkill 200 238 130 238
truncate 76 92:compat_sys_truncate 45 92:compat_sys_truncate
truncate64 - 193:sys_ia32_truncate64 - 193:compat_sys_aarch32_truncate64
ugetrlimit - 191:compat_sys_getrlimit - 191:compat_sys_getrlimit
umask 95 60 166 60
umount - 22:sys_oldumount - -
umount2 166:sys_umount 52:sys_umount 39:sys_umount 52:sys_umount
uname 63:sys_newuname 122:sys_newuname 160:sys_newuname 122:sys_newuname
unlink 87 10 - 10
unlinkat 263 301 35 328
unshare 272 310 97 337
uprobe 336 - - -
uretprobe 335 - - -
uselib 134 86 - 86
userfaultfd 323 374 282 388
ustat 136 62:compat_sys_ustat - 62:compat_sys_ustat
utime 132 30:sys_utime32 - -
utimensat 280 320:sys_utimensat_time32 88 348:sys_utimensat_time32
utimensat_time64 - 412:sys_utimensat - 412:sys_utimensat
utimes 235 271:sys_utimes_time32 - 269:sys_utimes_time32
vfork 58 190 - 190
vhangup 153 111 58 111
vmsplice 278 316 75 343
wait4 61 114:compat_sys_wait4 260 114:compat_sys_wait4
waitid 247 284:compat_sys_waitid 95 280:compat_sys_waitid
waitpid - 7 - -
write 1 4 64 4
writev 20 146 66 146
"""

PROTOTYPES = """
compat_sys_aarch32_fadvise64_64(int fd, int advice, u64 offset:2, u64 len:2)
compat_sys_aarch32_fallocate(int fd, int mode, loff_t offset:2, loff_t len:2)
compat_sys_aarch32_fstatfs64(unsigned int fd, compat_size_t sz, struct compat_statfs64 __user *buf)
compat_sys_aarch32_ftruncate64(unsigned int fd, _, u64 length:2)
compat_sys_aarch32_mmap2(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, unsigned long fd, unsigned long off_4k)
compat_sys_aarch32_pread64(unsigned int fd, char __user *buf, size_t count, _, loff_t pos:2)
compat_sys_aarch32_pwrite64(unsigned int fd, const char __user *buf, size_t count, _, loff_t pos:2)
compat_sys_aarch32_readahead(int fd, _, loff_t offset:2, size_t count)
compat_sys_aarch32_statfs64(const char __user *pathname, compat_size_t sz, struct compat_statfs64 __user *buf)
compat_sys_aarch32_sync_file_range2(int fd, unsigned int flags, u64 offset:2, u64 nbytes:2)
compat_sys_aarch32_truncate64(const char __user *pathname, _, u64 length:2)
compat_sys_epoll_pwait(int epfd, struct epoll_event __user *events, int maxevents, int timeout, const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
compat_sys_epoll_pwait2(int epfd, struct epoll_event __user *events, int maxevents, const struct __kernel_timespec __user *timeout, const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
compat_sys_execve(const char __user *filename, const compat_uptr_t __user *argv, const compat_uptr_t __user *envp)
compat_sys_execveat(int fd, const char __user *filename, const compat_uptr_t __user *argv, const compat_uptr_t __user *envp, int flags)
compat_sys_fanotify_mark(int fanotify_fd, unsigned int flags, __u64 mask:2, int dfd, const char __user *pathname)
compat_sys_fcntl(unsigned int fd, unsigned int cmd, compat_ulong_t arg)
compat_sys_fcntl64(unsigned int fd, unsigned int cmd, compat_ulong_t arg)
compat_sys_fstatfs(unsigned int fd, struct compat_statfs __user *buf)
compat_sys_fstatfs64(unsigned int fd, compat_size_t sz, struct compat_statfs64 __user *buf)
compat_sys_ftruncate(unsigned int fd, compat_off_t length)
compat_sys_get_robust_list(int pid, compat_uptr_t __user *head_ptr, compat_size_t __user *len_ptr)
compat_sys_getdents(unsigned int fd, struct compat_linux_dirent __user *dirent, unsigned int count)
compat_sys_getitimer(int which, struct old_itimerval32 __user *value)
compat_sys_getrlimit(unsigned int resource, struct compat_rlimit __user *rlim)
compat_sys_getrusage(int who, struct compat_rusage __user *ru)
compat_sys_gettimeofday(struct old_timeval32 __user *tv, struct timezone __user *tz)
compat_sys_ia32_clone(unsigned long clone_flags, unsigned long newsp, int __user *parent_tidptr, unsigned long tls, int __user *child_tidptr)
compat_sys_ia32_fstat64(unsigned int fd, struct stat64 __user *statbuf)
compat_sys_ia32_fstatat64(unsigned int dfd, const char __user *filename, struct stat64 __user *statbuf, int flag)
compat_sys_ia32_lstat64(const char __user *filename, struct stat64 __user *statbuf)
compat_sys_ia32_mmap(struct mmap_arg_struct32 __user *arg)
compat_sys_ia32_stat64(const char __user *filename, struct stat64 __user *statbuf)
compat_sys_io_pgetevents(compat_aio_context_t ctx_id, compat_long_t min_nr, compat_long_t nr, struct io_event __user *events, struct old_timespec32 __user *timeout, const struct __compat_aio_sigset __user *usig)
compat_sys_io_pgetevents_time64(compat_aio_context_t ctx_id, compat_long_t min_nr, compat_long_t nr, struct io_event __user *events, struct __kernel_timespec __user *timeout, const struct __compat_aio_sigset __user *usig)
compat_sys_io_setup(unsigned nr_events, u32 __user *ctxp)
compat_sys_io_submit(compat_aio_context_t ctx_id, int nr, compat_uptr_t __user *iocbpp)
compat_sys_ioctl(unsigned int fd, unsigned int cmd, compat_ulong_t arg)
compat_sys_ipc(u32 call, int first, int second, u32 third, compat_uptr_t ptr, u32 fifth)
compat_sys_kexec_load(compat_ulong_t entry, compat_ulong_t nr_segments, struct compat_kexec_segment __user *segments, compat_ulong_t flags)
compat_sys_keyctl(u32 option, u32 arg2, u32 arg3, u32 arg4, u32 arg5)
compat_sys_lseek(unsigned int fd, compat_off_t offset, unsigned int whence)
compat_sys_mq_getsetattr(mqd_t mqdes, const struct compat_mq_attr __user *u_mqstat, struct compat_mq_attr __user *u_omqstat)
compat_sys_mq_notify(mqd_t mqdes, const struct compat_sigevent __user *u_notification)
compat_sys_mq_open(const char __user *u_name, int oflag, compat_mode_t mode, struct compat_mq_attr __user *u_attr)
compat_sys_msgctl(int msqid, int cmd, void __user *buf)
compat_sys_msgrcv(int msqid, compat_uptr_t msgp, compat_ssize_t msgsz, compat_long_t msgtyp, int msgflg)
compat_sys_msgsnd(int msqid, compat_uptr_t msgp, compat_ssize_t msgsz, int msgflg)
compat_sys_newfstat(unsigned int fd, struct compat_stat __user *statbuf)
compat_sys_newlstat(const char __user *filename, struct compat_stat __user *statbuf)
compat_sys_newstat(const char __user *filename, struct compat_stat __user *statbuf)
compat_sys_old_getrlimit(unsigned int resource, struct compat_rlimit __user *rlim)
compat_sys_old_msgctl(int msqid, int cmd, void __user *buf)
compat_sys_old_readdir(unsigned int fd, struct compat_old_linux_dirent __user *dirent, unsigned int count)
compat_sys_old_select(struct compat_sel_arg_struct __user *arg)
compat_sys_old_semctl(int semid, int semnum, int cmd, int arg)
compat_sys_old_shmctl(int shmid, int cmd, void __user *buf)
compat_sys_open(const char __user *filename, int flags, umode_t mode)
compat_sys_open_by_handle_at(int mountdirfd, struct file_handle __user *handle, int flags)
compat_sys_openat(int dfd, const char __user *filename, int flags, umode_t mode)
compat_sys_ppoll_time32(struct pollfd __user *ufds, unsigned int nfds, struct old_timespec32 __user *tsp, const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
compat_sys_ppoll_time64(struct pollfd __user *ufds, unsigned int nfds, struct __kernel_timespec __user *tsp, const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
compat_sys_preadv(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_l, u32 pos_h)
compat_sys_preadv2(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_l, u32 pos_h, int flags)
compat_sys_pselect6_time32(int n, compat_ulong_t __user *inp, compat_ulong_t __user *outp, compat_ulong_t __user *exp, struct old_timespec32 __user *tsp, void __user *sig)
compat_sys_pselect6_time64(int n, compat_ulong_t __user *inp, compat_ulong_t __user *outp, compat_ulong_t __user *exp, struct __kernel_timespec __user *tsp, void __user *sig)
compat_sys_ptrace(compat_long_t request, compat_long_t pid, compat_long_t addr, compat_long_t data)
compat_sys_pwritev(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_l, u32 pos_h)
compat_sys_pwritev2(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_l, u32 pos_h, int flags)
compat_sys_recv(int fd, void __user *buf, compat_size_t len, unsigned int flags)
compat_sys_recvfrom(int fd, void __user *ubuf, compat_size_t size, unsigned int flags, struct sockaddr __user *addr, int __user *addr_len)
compat_sys_recvmmsg_time32(int fd, struct compat_mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags, struct old_timespec32 __user *timeout)
compat_sys_recvmmsg_time64(int fd, struct compat_mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags, struct __kernel_timespec __user *timeout)
compat_sys_recvmsg(int fd, struct compat_msghdr __user *msg, unsigned int flags)
compat_sys_rt_sigaction(int sig, const struct compat_sigaction __user *act, struct compat_sigaction __user *oact, compat_size_t sigsetsize)
compat_sys_rt_sigpending(compat_sigset_t __user *uset, compat_size_t sigsetsize)
compat_sys_rt_sigprocmask(int how, compat_sigset_t __user *nset, compat_sigset_t __user *oset, compat_size_t sigsetsize)
compat_sys_rt_sigqueueinfo(compat_pid_t pid, int sig, struct compat_siginfo __user *uinfo)
compat_sys_rt_sigreturn()
compat_sys_rt_sigsuspend(compat_sigset_t __user *unewset, compat_size_t sigsetsize)
compat_sys_rt_sigtimedwait_time32(compat_sigset_t __user *uthese, struct compat_siginfo __user *uinfo, struct old_timespec32 __user *uts, compat_size_t sigsetsize)
compat_sys_rt_sigtimedwait_time64(compat_sigset_t __user *uthese, struct compat_siginfo __user *uinfo, struct __kernel_timespec __user *uts, compat_size_t sigsetsize)
compat_sys_rt_tgsigqueueinfo(compat_pid_t tgid, compat_pid_t pid, int sig, struct compat_siginfo __user *uinfo)
compat_sys_sched_getaffinity(compat_pid_t pid, unsigned int len, compat_ulong_t __user *user_mask_ptr)
compat_sys_sched_setaffinity(compat_pid_t pid, unsigned int len, compat_ulong_t __user *user_mask_ptr)
compat_sys_select(int n, compat_ulong_t __user *inp, compat_ulong_t __user *outp, compat_ulong_t __user *exp, struct old_timeval32 __user *tvp)
compat_sys_semctl(int semid, int semnum, int cmd, int arg)
compat_sys_sendfile(int out_fd, int in_fd, compat_off_t __user *offset, compat_size_t count)
compat_sys_sendmmsg(int fd, struct compat_mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags)
compat_sys_sendmsg(int fd, struct compat_msghdr __user *msg, unsigned int flags)
compat_sys_set_robust_list(struct compat_robust_list_head __user *head, compat_size_t len)
compat_sys_setitimer(int which, struct old_itimerval32 __user *value, struct old_itimerval32 __user *ovalue)
compat_sys_setrlimit(unsigned int resource, struct compat_rlimit __user *rlim)
compat_sys_settimeofday(struct old_timeval32 __user *tv, struct timezone __user *tz)
compat_sys_shmat(int shmid, compat_uptr_t shmaddr, int shmflg)
compat_sys_shmctl(int shmid, int cmd, void __user *buf)
compat_sys_sigaction(int sig, const struct compat_old_sigaction __user *act, struct compat_old_sigaction __user *oact)
compat_sys_sigaltstack(const compat_stack_t __user *uss, compat_stack_t __user *uoss)
compat_sys_signalfd(int ufd, const compat_sigset_t __user *user_mask, compat_size_t sizemask)
compat_sys_signalfd4(int ufd, const compat_sigset_t __user *user_mask, compat_size_t sizemask, int flags)
compat_sys_sigpending(compat_old_sigset_t __user *set32)
compat_sys_sigprocmask(int how, compat_old_sigset_t __user *nset, compat_old_sigset_t __user *oset)
compat_sys_sigreturn()
compat_sys_socketcall(int call, u32 __user *args)
compat_sys_statfs(const char __user *pathname, struct compat_statfs __user *buf)
compat_sys_statfs64(const char __user *pathname, compat_size_t sz, struct compat_statfs64 __user *buf)
compat_sys_sysinfo(struct compat_sysinfo __user *info)
compat_sys_timer_create(clockid_t which_clock, struct compat_sigevent __user *timer_event_spec, timer_t __user *created_timer_id)
compat_sys_times(struct compat_tms __user *tbuf)
compat_sys_truncate(const char __user *path, compat_off_t length)
compat_sys_ustat(unsigned dev, struct compat_ustat __user *ubuf)
compat_sys_wait4(compat_pid_t upid, compat_uint_t __user *stat_addr, int options, struct compat_rusage __user *ru)
compat_sys_waitid(int which, compat_pid_t upid, struct compat_siginfo __user *infop, int options, struct compat_rusage __user *ru)
sys_accept(int fd, struct sockaddr __user *upeer_sockaddr, int __user *upeer_addrlen)
sys_accept4(int fd, struct sockaddr __user *upeer_sockaddr, int __user *upeer_addrlen, int flags)
sys_access(const char __user *filename, int mode)
sys_acct(const char __user *name)
sys_add_key(const char __user *_type, const char __user *_description, const void __user *_payload, size_t plen, key_serial_t ringid)
sys_adjtimex(struct __kernel_timex __user *txc_p)
sys_adjtimex_time32(struct old_timex32 __user *txc_p)
sys_alarm(unsigned int seconds)
sys_arch_prctl(int option, unsigned long arg2)
sys_bind(int fd, struct sockaddr __user *umyaddr, int addrlen)
sys_bpf(int cmd, union bpf_attr __user *uattr, unsigned int size, struct bpf_common_attr __user *uattr_common, unsigned int size_common)
sys_brk(unsigned long brk)
sys_cachestat(unsigned int fd, struct cachestat_range __user *cstat_range, struct cachestat __user *cstat, unsigned int flags)
sys_capget(cap_user_header_t header, cap_user_data_t dataptr)
sys_capset(cap_user_header_t header, const cap_user_data_t data)
sys_chdir(const char __user *filename)
sys_chmod(const char __user *filename, umode_t mode)
sys_chown(const char __user *filename, uid_t user, gid_t group)
sys_chown16(const char __user *filename, old_uid_t user, old_gid_t group)
sys_chroot(const char __user *filename)
sys_clock_adjtime(const clockid_t which_clock, struct __kernel_timex __user *utx)
sys_clock_adjtime32(clockid_t which_clock, struct old_timex32 __user *utx)
sys_clock_getres(const clockid_t which_clock, struct __kernel_timespec __user *tp)
sys_clock_getres_time32(clockid_t which_clock, struct old_timespec32 __user *tp)
sys_clock_gettime(const clockid_t which_clock, struct __kernel_timespec __user *tp)
sys_clock_gettime32(clockid_t which_clock, struct old_timespec32 __user *tp)
sys_clock_nanosleep(const clockid_t which_clock, int flags, const struct __kernel_timespec __user *rqtp, struct __kernel_timespec __user *rmtp)
sys_clock_nanosleep_time32(clockid_t which_clock, int flags, struct old_timespec32 __user *rqtp, struct old_timespec32 __user *rmtp)
sys_clock_settime(const clockid_t which_clock, const struct __kernel_timespec __user *tp)
sys_clock_settime32(clockid_t which_clock, struct old_timespec32 __user *tp)
sys_clone(unsigned long clone_flags, unsigned long newsp, int __user *parent_tidptr, unsigned long tls, int __user *child_tidptr)
sys_clone3(struct clone_args __user *uargs, size_t size)
sys_clone@x86_64(unsigned long clone_flags, unsigned long newsp, int __user *parent_tidptr, int __user *child_tidptr, unsigned long tls)
sys_close(unsigned int fd)
sys_close_range(unsigned int fd, unsigned int max_fd, unsigned int flags)
sys_connect(int fd, struct sockaddr __user *uservaddr, int addrlen)
sys_copy_file_range(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, size_t len, unsigned int flags)
sys_creat(const char __user *pathname, umode_t mode)
sys_delete_module(const char __user *name_user, unsigned int flags)
sys_dup(unsigned int fildes)
sys_dup2(unsigned int oldfd, unsigned int newfd)
sys_dup3(unsigned int oldfd, unsigned int newfd, int flags)
sys_epoll_create(int size)
sys_epoll_create1(int flags)
sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event __user *event)
sys_epoll_pwait(int epfd, struct epoll_event __user *events, int maxevents, int timeout, const sigset_t __user *sigmask, size_t sigsetsize)
sys_epoll_pwait2(int epfd, struct epoll_event __user *events, int maxevents, const struct __kernel_timespec __user *timeout, const sigset_t __user *sigmask, size_t sigsetsize)
sys_epoll_wait(int epfd, struct epoll_event __user *events, int maxevents, int timeout)
sys_eventfd(unsigned int count)
sys_eventfd2(unsigned int count, int flags)
sys_execve(const char __user *filename, const char __user *const __user *argv, const char __user *const __user *envp)
sys_execveat(int fd, const char __user *filename, const char __user *const __user *argv, const char __user *const __user *envp, int flags)
sys_exit(int error_code)
sys_exit_group(int error_code)
sys_faccessat(int dfd, const char __user *filename, int mode)
sys_faccessat2(int dfd, const char __user *filename, int mode, int flags)
sys_fadvise64(int fd, loff_t offset, size_t len, int advice)
sys_fadvise64_64(int fd, loff_t offset, loff_t len, int advice)
sys_fallocate(int fd, int mode, loff_t offset, loff_t len)
sys_fanotify_init(unsigned int flags, unsigned int event_f_flags)
sys_fanotify_mark(int fanotify_fd, unsigned int flags, __u64 mask, int dfd, const char __user *pathname)
sys_fchdir(unsigned int fd)
sys_fchmod(unsigned int fd, umode_t mode)
sys_fchmodat(int dfd, const char __user *filename, umode_t mode)
sys_fchmodat2(int dfd, const char __user *filename, umode_t mode, unsigned int flags)
sys_fchown(unsigned int fd, uid_t user, gid_t group)
sys_fchown16(unsigned int fd, old_uid_t user, old_gid_t group)
sys_fchownat(int dfd, const char __user *filename, uid_t user, gid_t group, int flag)
sys_fcntl(unsigned int fd, unsigned int cmd, unsigned long arg)
sys_fdatasync(unsigned int fd)
sys_fgetxattr(int fd, const char __user *name, void __user *value, size_t size)
sys_file_getattr(int dfd, const char __user *filename, struct file_attr __user *ufattr, size_t usize, unsigned int at_flags)
sys_file_setattr(int dfd, const char __user *filename, struct file_attr __user *ufattr, size_t usize, unsigned int at_flags)
sys_finit_module(int fd, const char __user *uargs, int flags)
sys_flistxattr(int fd, char __user *list, size_t size)
sys_flock(unsigned int fd, unsigned int cmd)
sys_fork()
sys_fremovexattr(int fd, const char __user *name)
sys_fsconfig(int fd, unsigned int cmd, const char __user *_key, const void __user *_value, int aux)
sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size, int flags)
sys_fsmount(int fs_fd, unsigned int flags, unsigned int attr_flags)
sys_fsopen(const char __user *_fs_name, unsigned int flags)
sys_fspick(int dfd, const char __user *path, unsigned int flags)
sys_fstat(unsigned int fd, struct __old_kernel_stat __user *statbuf)
sys_fstat64(unsigned long fd, struct stat64 __user *statbuf)
sys_fstatat64(int dfd, const char __user *filename, struct stat64 __user *statbuf, int flag)
sys_fstatfs(unsigned int fd, struct statfs __user *buf)
sys_fsync(unsigned int fd)
sys_ftruncate(unsigned int fd, off_t length)
sys_futex(u32 __user *uaddr, int op, u32 val, const struct __kernel_timespec __user *utime, u32 __user *uaddr2, u32 val3)
sys_futex_requeue(struct futex_waitv __user *waiters, unsigned int flags, int nr_wake, int nr_requeue)
sys_futex_time32(u32 __user *uaddr, int op, u32 val, const struct old_timespec32 __user *utime, u32 __user *uaddr2, u32 val3)
sys_futex_wait(void __user *uaddr, unsigned long val, unsigned long mask, unsigned int flags, struct __kernel_timespec __user *timeout, clockid_t clockid)
sys_futex_waitv(struct futex_waitv __user *waiters, unsigned int nr_futexes, unsigned int flags, struct __kernel_timespec __user *timeout, clockid_t clockid)
sys_futex_wake(void __user *uaddr, unsigned long mask, int nr, unsigned int flags)
sys_futimesat(int dfd, const char __user *filename, struct __kernel_old_timeval __user *utimes)
sys_futimesat_time32(unsigned int dfd, const char __user *filename, struct old_timeval32 __user *utimes)
sys_get_mempolicy(int __user *policy, unsigned long __user *nmask, unsigned long maxnode, unsigned long addr, unsigned long flags)
sys_get_robust_list(int pid, struct robust_list_head __user * __user *head_ptr, size_t __user *len_ptr)
sys_get_thread_area(struct user_desc __user *u_info)
sys_getcpu(unsigned __user *cpup, unsigned __user *nodep, void __user *unused)
sys_getcwd(char __user *buf, unsigned long size)
sys_getdents(unsigned int fd, struct linux_dirent __user *dirent, unsigned int count)
sys_getdents64(unsigned int fd, struct linux_dirent64 __user *dirent, unsigned int count)
sys_getegid()
sys_getegid16()
sys_geteuid()
sys_geteuid16()
sys_getgid()
sys_getgid16()
sys_getgroups(int gidsetsize, gid_t __user *grouplist)
sys_getgroups16(int gidsetsize, old_gid_t __user *grouplist)
sys_getitimer(int which, struct __kernel_old_itimerval __user *value)
sys_getpeername(int fd, struct sockaddr __user *usockaddr, int __user *usockaddr_len)
sys_getpgid(pid_t pid)
sys_getpgrp()
sys_getpid()
sys_getppid()
sys_getpriority(int which, int who)
sys_getrandom(char __user *ubuf, size_t len, unsigned int flags)
sys_getresgid(gid_t __user *rgidp, gid_t __user *egidp, gid_t __user *sgidp)
sys_getresgid16(old_gid_t __user *rgidp, old_gid_t __user *egidp, old_gid_t __user *sgidp)
sys_getresuid(uid_t __user *ruidp, uid_t __user *euidp, uid_t __user *suidp)
sys_getresuid16(old_uid_t __user *ruidp, old_uid_t __user *euidp, old_uid_t __user *suidp)
sys_getrlimit(unsigned int resource, struct rlimit __user *rlim)
sys_getrusage(int who, struct rusage __user *ru)
sys_getsid(pid_t pid)
sys_getsockname(int fd, struct sockaddr __user *usockaddr, int __user *usockaddr_len)
sys_getsockopt(int fd, int level, int optname, char __user *optval, int __user *optlen)
sys_gettid()
sys_gettimeofday(struct __kernel_old_timeval __user *tv, struct timezone __user *tz)
sys_getuid()
sys_getuid16()
sys_getxattr(const char __user *pathname, const char __user *name, void __user *value, size_t size)
sys_getxattrat(int dfd, const char __user *pathname, unsigned int at_flags, const char __user *name, struct xattr_args __user *uargs, size_t usize)
sys_ia32_fadvise64(int fd, loff_t offset:2, size_t len, int advice)
sys_ia32_fadvise64_64(int fd, u64 offset:2, u64 len:2, int advice)
sys_ia32_fallocate(int fd, int mode, loff_t offset:2, loff_t len:2)
sys_ia32_ftruncate64(unsigned int fd, u64 offset:2)
sys_ia32_pread64(unsigned int fd, char __user *buf, u32 count, loff_t pos:2)
sys_ia32_pwrite64(unsigned int fd, const char __user *buf, u32 count, loff_t pos:2)
sys_ia32_readahead(int fd, loff_t offset:2, size_t count)
sys_ia32_sync_file_range(int fd, loff_t offset:2, loff_t nbytes:2, int flags)
sys_ia32_truncate64(const char __user *filename, u64 offset:2)
sys_init_module(void __user *umod, unsigned long len, const char __user *uargs)
sys_inotify_add_watch(int fd, const char __user *pathname, u32 mask)
sys_inotify_init()
sys_inotify_init1(int flags)
sys_inotify_rm_watch(int fd, __s32 wd)
sys_io_cancel(aio_context_t ctx_id, struct iocb __user *iocb, struct io_event __user *result)
sys_io_destroy(aio_context_t ctx)
sys_io_getevents(aio_context_t ctx_id, long min_nr, long nr, struct io_event __user *events, struct __kernel_timespec __user *timeout)
sys_io_getevents_time32(__u32 ctx_id, __s32 min_nr, __s32 nr, struct io_event __user *events, struct old_timespec32 __user *timeout)
sys_io_pgetevents(aio_context_t ctx_id, long min_nr, long nr, struct io_event __user *events, struct __kernel_timespec __user *timeout, const struct __aio_sigset __user *usig)
sys_io_setup(unsigned nr_events, aio_context_t __user *ctxp)
sys_io_submit(aio_context_t ctx_id, long nr, struct iocb __user * __user *iocbpp)
sys_io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags, const void __user *argp, size_t argsz)
sys_io_uring_register(unsigned int fd, unsigned int opcode, void __user *arg, unsigned int nr_args)
sys_io_uring_setup(u32 entries, struct io_uring_params __user *params)
sys_ioctl(unsigned int fd, unsigned int cmd, unsigned long arg)
sys_ioperm(unsigned long from, unsigned long num, int turn_on)
sys_iopl(unsigned int level)
sys_ioprio_get(int which, int who)
sys_ioprio_set(int which, int who, int ioprio)
sys_kcmp(pid_t pid1, pid_t pid2, int type, unsigned long idx1, unsigned long idx2)
sys_kexec_file_load(int kernel_fd, int initrd_fd, unsigned long cmdline_len, const char __user *cmdline_ptr, unsigned long flags)
sys_kexec_load(unsigned long entry, unsigned long nr_segments, struct kexec_segment __user *segments, unsigned long flags)
sys_keyctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5)
sys_kill(pid_t pid, int sig)
sys_landlock_add_rule(const int ruleset_fd, const enum landlock_rule_type rule_type, const void __user *const rule_attr, const __u32 flags)
sys_landlock_create_ruleset(const struct landlock_ruleset_attr __user *const attr, const size_t size, const __u32 flags)
sys_landlock_restrict_self(const int ruleset_fd, const __u32 flags)
sys_lchown(const char __user *filename, uid_t user, gid_t group)
sys_lchown16(const char __user *filename, old_uid_t user, old_gid_t group)
sys_lgetxattr(const char __user *pathname, const char __user *name, void __user *value, size_t size)
sys_link(const char __user *oldname, const char __user *newname)
sys_linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname, int flags)
sys_listen(int fd, int backlog)
sys_listmount(const struct mnt_id_req __user *req, u64 __user *mnt_ids, size_t nr_mnt_ids, unsigned int flags)
sys_listns(const struct ns_id_req __user *req, u64 __user *ns_ids, size_t nr_ns_ids, unsigned int flags)
sys_listxattr(const char __user *pathname, char __user *list, size_t size)
sys_listxattrat(int dfd, const char __user *pathname, unsigned int at_flags, char __user *list, size_t size)
sys_llistxattr(const char __user *pathname, char __user *list, size_t size)
sys_llseek(unsigned int fd, unsigned long offset_high, unsigned long offset_low, loff_t __user *result, unsigned int whence)
sys_lremovexattr(const char __user *pathname, const char __user *name)
sys_lseek(unsigned int fd, off_t offset, unsigned int whence)
sys_lsetxattr(const char __user *pathname, const char __user *name, const void __user *value, size_t size, int flags)
sys_lsm_get_self_attr(unsigned int attr, struct lsm_ctx __user *ctx, u32 __user *size, u32 flags)
sys_lsm_list_modules(u64 __user *ids, u32 __user *size, u32 flags)
sys_lsm_set_self_attr(unsigned int attr, struct lsm_ctx __user *ctx, u32 size, u32 flags)
sys_lstat(const char __user *filename, struct __old_kernel_stat __user *statbuf)
sys_lstat64(const char __user *filename, struct stat64 __user *statbuf)
sys_madvise(unsigned long start, size_t len_in, int behavior)
sys_map_shadow_stack(unsigned long addr, unsigned long size, unsigned int flags)
sys_mbind(unsigned long start, unsigned long len, unsigned long mode, const unsigned long __user *nmask, unsigned long maxnode, unsigned int flags)
sys_membarrier(int cmd, unsigned int flags, int cpu_id)
sys_memfd_create(const char __user *uname, unsigned int flags)
sys_memfd_secret(unsigned int flags)
sys_migrate_pages(pid_t pid, unsigned long maxnode, const unsigned long __user *old_nodes, const unsigned long __user *new_nodes)
sys_mincore(unsigned long start, size_t len, unsigned char __user *vec)
sys_mkdir(const char __user *pathname, umode_t mode)
sys_mkdirat(int dfd, const char __user *pathname, umode_t mode)
sys_mknod(const char __user *filename, umode_t mode, unsigned dev)
sys_mknodat(int dfd, const char __user *filename, umode_t mode, unsigned int dev)
sys_mlock(unsigned long start, size_t len)
sys_mlock2(unsigned long start, size_t len, int flags)
sys_mlockall(int flags)
sys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, unsigned long fd, unsigned long off)
sys_mmap_pgoff(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, unsigned long fd, unsigned long pgoff)
sys_modify_ldt(int func, void __user *ptr, unsigned long bytecount)
sys_mount(char __user *dev_name, char __user *dir_name, char __user *type, unsigned long flags, void __user *data)
sys_mount_setattr(int dfd, const char __user *path, unsigned int flags, struct mount_attr __user *uattr, size_t usize)
sys_move_mount(int from_dfd, const char __user *from_pathname, int to_dfd, const char __user *to_pathname, unsigned int flags)
sys_move_pages(pid_t pid, unsigned long nr_pages, const void __user * __user *pages, const int __user *nodes, int __user *status, int flags)
sys_mprotect(unsigned long start, size_t len, unsigned long prot)
sys_mq_getsetattr(mqd_t mqdes, const struct mq_attr __user *u_mqstat, struct mq_attr __user *u_omqstat)
sys_mq_notify(mqd_t mqdes, const struct sigevent __user *u_notification)
sys_mq_open(const char __user *u_name, int oflag, umode_t mode, struct mq_attr __user *u_attr)
sys_mq_timedreceive(mqd_t mqdes, char __user *u_msg_ptr, size_t msg_len, unsigned int __user *u_msg_prio, const struct __kernel_timespec __user *u_abs_timeout)
sys_mq_timedreceive_time32(mqd_t mqdes, char __user *u_msg_ptr, unsigned int msg_len, unsigned int __user *u_msg_prio, const struct old_timespec32 __user *u_abs_timeout)
sys_mq_timedsend(mqd_t mqdes, const char __user *u_msg_ptr, size_t msg_len, unsigned int msg_prio, const struct __kernel_timespec __user *u_abs_timeout)
sys_mq_timedsend_time32(mqd_t mqdes, const char __user *u_msg_ptr, unsigned int msg_len, unsigned int msg_prio, const struct old_timespec32 __user *u_abs_timeout)
sys_mq_unlink(const char __user *u_name)
sys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len, unsigned long flags, unsigned long new_addr)
sys_mseal(unsigned long start, size_t len, unsigned long flags)
sys_msgctl(int msqid, int cmd, struct msqid_ds __user *buf)
sys_msgget(key_t key, int msgflg)
sys_msgrcv(int msqid, struct msgbuf __user *msgp, size_t msgsz, long msgtyp, int msgflg)
sys_msgsnd(int msqid, struct msgbuf __user *msgp, size_t msgsz, int msgflg)
sys_msync(unsigned long start, size_t len, int flags)
sys_munlock(unsigned long start, size_t len)
sys_munlockall()
sys_munmap(unsigned long addr, size_t len)
sys_name_to_handle_at(int dfd, const char __user *name, struct file_handle __user *handle, void __user *mnt_id, int flag)
sys_nanosleep(struct __kernel_timespec __user *rqtp, struct __kernel_timespec __user *rmtp)
sys_nanosleep_time32(struct old_timespec32 __user *rqtp, struct old_timespec32 __user *rmtp)
sys_newfstat(unsigned int fd, struct stat __user *statbuf)
sys_newfstatat(int dfd, const char __user *filename, struct stat __user *statbuf, int flag)
sys_newlstat(const char __user *filename, struct stat __user *statbuf)
sys_newstat(const char __user *filename, struct stat __user *statbuf)
sys_newuname(struct new_utsname __user *name)
sys_nice(int increment)
sys_oldumount(char __user *name)
sys_olduname(struct oldold_utsname __user *name)
sys_open(const char __user *filename, int flags, umode_t mode)
sys_open_by_handle_at(int mountdirfd, struct file_handle __user *handle, int flags)
sys_open_tree(int dfd, const char __user *filename, unsigned flags)
sys_open_tree_attr(int dfd, const char __user *filename, unsigned flags, struct mount_attr __user *uattr, size_t usize)
sys_openat(int dfd, const char __user *filename, int flags, umode_t mode)
sys_openat2(int dfd, const char __user *filename, struct open_how __user *how, size_t usize)
sys_pause()
sys_pciconfig_read(unsigned long bus, unsigned long dfn, unsigned long off, unsigned long len, void __user *buf)
sys_pciconfig_write(unsigned long bus, unsigned long dfn, unsigned long off, unsigned long len, void __user *buf)
sys_perf_event_open(struct perf_event_attr __user *attr_uptr, pid_t pid, int cpu, int group_fd, unsigned long flags)
sys_personality(unsigned int personality)
sys_pidfd_getfd(int pidfd, int fd, unsigned int flags)
sys_pidfd_open(pid_t pid, unsigned int flags)
sys_pidfd_send_signal(int pidfd, int sig, siginfo_t __user *info, unsigned int flags)
sys_pipe(int __user *fildes)
sys_pipe2(int __user *fildes, int flags)
sys_pivot_root(const char __user *new_root, const char __user *put_old)
sys_pkey_alloc(unsigned long flags, unsigned long init_val)
sys_pkey_free(int pkey)
sys_pkey_mprotect(unsigned long start, size_t len, unsigned long prot, int pkey)
sys_poll(struct pollfd __user *ufds, unsigned int nfds, int timeout_msecs)
sys_ppoll(struct pollfd __user *ufds, unsigned int nfds, struct __kernel_timespec __user *tsp, const sigset_t __user *sigmask, size_t sigsetsize)
sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5)
sys_pread64(unsigned int fd, char __user *buf, size_t count, loff_t pos)
sys_preadv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h)
sys_preadv2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h, int flags)
sys_prlimit64(pid_t pid, unsigned int resource, const struct rlimit64 __user *new_rlim, struct rlimit64 __user *old_rlim)
sys_process_madvise(int pidfd, const struct iovec __user *vec, size_t vlen, int behavior, unsigned int flags)
sys_process_mrelease(int pidfd, unsigned int flags)
sys_process_vm_readv(pid_t pid, const struct iovec __user *lvec, unsigned long liovcnt, const struct iovec __user *rvec, unsigned long riovcnt, unsigned long flags)
sys_process_vm_writev(pid_t pid, const struct iovec __user *lvec, unsigned long liovcnt, const struct iovec __user *rvec, unsigned long riovcnt, unsigned long flags)
sys_pselect6(int n, fd_set __user *inp, fd_set __user *outp, fd_set __user *exp, struct __kernel_timespec __user *tsp, void __user *sig)
sys_ptrace(long request, long pid, unsigned long addr, unsigned long data)
sys_pwrite64(unsigned int fd, const char __user *buf, size_t count, loff_t pos)
sys_pwritev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h)
sys_pwritev2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h, int flags)
sys_quotactl(unsigned int cmd, const char __user *special, qid_t id, void __user *addr)
sys_quotactl_fd(unsigned int fd, unsigned int cmd, qid_t id, void __user *addr)
sys_read(unsigned int fd, char __user *buf, size_t count)
sys_readahead(int fd, loff_t offset, size_t count)
sys_readlink(const char __user *path, char __user *buf, int bufsiz)
sys_readlinkat(int dfd, const char __user *pathname, char __user *buf, int bufsiz)
sys_readv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
sys_reboot(int magic1, int magic2, unsigned int cmd, void __user *arg)
sys_recvfrom(int fd, void __user *ubuf, size_t size, unsigned int flags, struct sockaddr __user *addr, int __user *addr_len)
sys_recvmmsg(int fd, struct mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags, struct __kernel_timespec __user *timeout)
sys_recvmsg(int fd, struct user_msghdr __user *msg, unsigned int flags)
sys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot, unsigned long pgoff, unsigned long flags)
sys_removexattr(const char __user *pathname, const char __user *name)
sys_removexattrat(int dfd, const char __user *pathname, unsigned int at_flags, const char __user *name)
sys_rename(const char __user *oldname, const char __user *newname)
sys_renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname)
sys_renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname, unsigned int flags)
sys_request_key(const char __user *_type, const char __user *_description, const char __user *_callout_info, key_serial_t destringid)
sys_restart_syscall()
sys_rmdir(const char __user *pathname)
sys_rseq(struct rseq __user *rseq, u32 rseq_len, int flags, u32 sig)
sys_rseq_slice_yield()
sys_rt_sigaction(int sig, const struct sigaction __user *act, struct sigaction __user *oact, size_t sigsetsize)
sys_rt_sigpending(sigset_t __user *uset, size_t sigsetsize)
sys_rt_sigprocmask(int how, sigset_t __user *nset, sigset_t __user *oset, size_t sigsetsize)
sys_rt_sigqueueinfo(pid_t pid, int sig, siginfo_t __user *uinfo)
sys_rt_sigreturn()
sys_rt_sigsuspend(sigset_t __user *unewset, size_t sigsetsize)
sys_rt_sigtimedwait(const sigset_t __user *uthese, siginfo_t __user *uinfo, const struct __kernel_timespec __user *uts, size_t sigsetsize)
sys_rt_tgsigqueueinfo(pid_t tgid, pid_t pid, int sig, siginfo_t __user *uinfo)
sys_sched_get_priority_max(int policy)
sys_sched_get_priority_min(int policy)
sys_sched_getaffinity(pid_t pid, unsigned int len, unsigned long __user *user_mask_ptr)
sys_sched_getattr(pid_t pid, struct sched_attr __user *uattr, unsigned int usize, unsigned int flags)
sys_sched_getparam(pid_t pid, struct sched_param __user *param)
sys_sched_getscheduler(pid_t pid)
sys_sched_rr_get_interval(pid_t pid, struct __kernel_timespec __user *interval)
sys_sched_rr_get_interval_time32(pid_t pid, struct old_timespec32 __user *interval)
sys_sched_setaffinity(pid_t pid, unsigned int len, unsigned long __user *user_mask_ptr)
sys_sched_setattr(pid_t pid, struct sched_attr __user *uattr, unsigned int flags)
sys_sched_setparam(pid_t pid, struct sched_param __user *param)
sys_sched_setscheduler(pid_t pid, int policy, struct sched_param __user *param)
sys_sched_yield()
sys_seccomp(unsigned int op, unsigned int flags, void __user *uargs)
sys_select(int n, fd_set __user *inp, fd_set __user *outp, fd_set __user *exp, struct __kernel_old_timeval __user *tvp)
sys_semctl(int semid, int semnum, int cmd, unsigned long arg)
sys_semget(key_t key, int nsems, int semflg)
sys_semop(int semid, struct sembuf __user *tsops, unsigned int nsops)
sys_semtimedop(int semid, struct sembuf __user *tsops, unsigned int nsops, const struct __kernel_timespec __user *timeout)
sys_semtimedop_time32(int semid, struct sembuf __user *tsops, unsigned int nsops, const struct old_timespec32 __user *timeout)
sys_send(int fd, void __user *buff, size_t len, unsigned int flags)
sys_sendfile64(int out_fd, int in_fd, loff_t __user *offset, size_t count)
sys_sendmmsg(int fd, struct mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags)
sys_sendmsg(int fd, struct user_msghdr __user *msg, unsigned int flags)
sys_sendto(int fd, void __user *buff, size_t len, unsigned int flags, struct sockaddr __user *addr, int addr_len)
sys_set_mempolicy(int mode, const unsigned long __user *nmask, unsigned long maxnode)
sys_set_mempolicy_home_node(unsigned long start, unsigned long len, unsigned long home_node, unsigned long flags)
sys_set_robust_list(struct robust_list_head __user *head, size_t len)
sys_set_thread_area(struct user_desc __user *u_info)
sys_set_tid_address(int __user *tidptr)
sys_setdomainname(char __user *name, int len)
sys_setfsgid(gid_t gid)
sys_setfsgid16(old_gid_t gid)
sys_setfsuid(uid_t uid)
sys_setfsuid16(old_uid_t uid)
sys_setgid(gid_t gid)
sys_setgid16(old_gid_t gid)
sys_setgroups(int gidsetsize, gid_t __user *grouplist)
sys_setgroups16(int gidsetsize, old_gid_t __user *grouplist)
sys_sethostname(char __user *name, int len)
sys_setitimer(int which, struct __kernel_old_itimerval __user *value, struct __kernel_old_itimerval __user *ovalue)
sys_setns(int fd, int flags)
sys_setpgid(pid_t pid, pid_t pgid)
sys_setpriority(int which, int who, int niceval)
sys_setregid(gid_t rgid, gid_t egid)
sys_setregid16(old_gid_t rgid, old_gid_t egid)
sys_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
sys_setresgid16(old_gid_t rgid, old_gid_t egid, old_gid_t sgid)
sys_setresuid(uid_t ruid, uid_t euid, uid_t suid)
sys_setresuid16(old_uid_t ruid, old_uid_t euid, old_uid_t suid)
sys_setreuid(uid_t ruid, uid_t euid)
sys_setreuid16(old_uid_t ruid, old_uid_t euid)
sys_setrlimit(unsigned int resource, struct rlimit __user *rlim)
sys_setsid()
sys_setsockopt(int fd, int level, int optname, char __user *optval, int optlen)
sys_settimeofday(struct __kernel_old_timeval __user *tv, struct timezone __user *tz)
sys_setuid(uid_t uid)
sys_setuid16(old_uid_t uid)
sys_setxattr(const char __user *pathname, const char __user *name, const void __user *value, size_t size, int flags)
sys_setxattrat(int dfd, const char __user *pathname, unsigned int at_flags, const char __user *name, const struct xattr_args __user *uargs, size_t usize)
sys_sgetmask()
sys_shmat(int shmid, char __user *shmaddr, int shmflg)
sys_shmctl(int shmid, int cmd, struct shmid_ds __user *buf)
sys_shmdt(char __user *shmaddr)
sys_shmget(key_t key, size_t size, int shmflg)
sys_shutdown(int fd, int how)
sys_sigaltstack(const stack_t __user *uss, stack_t __user *uoss)
sys_signal(int sig, __sighandler_t handler)
sys_signalfd(int ufd, sigset_t __user *user_mask, size_t sizemask)
sys_signalfd4(int ufd, sigset_t __user *user_mask, size_t sizemask, int flags)
sys_sigsuspend(old_sigset_t mask)
sys_socket(int family, int type, int protocol)
sys_socketpair(int family, int type, int protocol, int __user *usockvec)
sys_splice(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, size_t len, unsigned int flags)
sys_ssetmask(int newmask)
sys_stat(const char __user *filename, struct __old_kernel_stat __user *statbuf)
sys_stat64(const char __user *filename, struct stat64 __user *statbuf)
sys_statfs(const char __user *pathname, struct statfs __user *buf)
sys_statmount(const struct mnt_id_req __user *req, struct statmount __user *buf, size_t bufsize, unsigned int flags)
sys_statx(int dfd, const char __user *filename, unsigned flags, unsigned int mask, struct statx __user *buffer)
sys_stime32(old_time32_t __user *tptr)
sys_swapoff(const char __user *specialfile)
sys_swapon(const char __user *specialfile, int swap_flags)
sys_symlink(const char __user *oldname, const char __user *newname)
sys_symlinkat(const char __user *oldname, int newdfd, const char __user *newname)
sys_sync()
sys_sync_file_range(int fd, loff_t offset, loff_t nbytes, unsigned int flags)
sys_syncfs(int fd)
sys_sysfs(int option, unsigned long arg1, unsigned long arg2)
sys_sysinfo(struct sysinfo __user *info)
sys_syslog(int type, char __user *buf, int len)
sys_tee(int fdin, int fdout, size_t len, unsigned int flags)
sys_tgkill(pid_t tgid, pid_t pid, int sig)
sys_time(__kernel_old_time_t __user *tloc)
sys_time32(old_time32_t __user *tloc)
sys_timer_create(const clockid_t which_clock, struct sigevent __user *timer_event_spec, timer_t __user *created_timer_id)
sys_timer_delete(timer_t timer_id)
sys_timer_getoverrun(timer_t timer_id)
sys_timer_gettime(timer_t timer_id, struct __kernel_itimerspec __user *setting)
sys_timer_gettime32(timer_t timer_id, struct old_itimerspec32 __user *setting)
sys_timer_settime(timer_t timer_id, int flags, const struct __kernel_itimerspec __user *new_setting, struct __kernel_itimerspec __user *old_setting)
sys_timer_settime32(timer_t timer_id, int flags, struct old_itimerspec32 __user *new_setting, struct old_itimerspec32 __user *old_setting)
sys_timerfd_create(int clockid, int flags)
sys_timerfd_gettime(int ufd, struct __kernel_itimerspec __user *otmr)
sys_timerfd_gettime32(int ufd, struct old_itimerspec32 __user *otmr)
sys_timerfd_settime(int ufd, int flags, const struct __kernel_itimerspec __user *utmr, struct __kernel_itimerspec __user *otmr)
sys_timerfd_settime32(int ufd, int flags, const struct old_itimerspec32 __user *utmr, struct old_itimerspec32 __user *otmr)
sys_times(struct tms __user *tbuf)
sys_tkill(pid_t pid, int sig)
sys_truncate(const char __user *path, long length)
sys_umask(int mask)
sys_umount(char __user *name, int flags)
sys_uname(struct old_utsname __user *name)
sys_unlink(const char __user *pathname)
sys_unlinkat(int dfd, const char __user *pathname, int flag)
sys_unshare(unsigned long unshare_flags)
sys_uprobe()
sys_uretprobe()
sys_uselib(const char __user *library)
sys_userfaultfd(int flags)
sys_ustat(unsigned dev, struct ustat __user *ubuf)
sys_utime(char __user *filename, struct utimbuf __user *times)
sys_utime32(const char __user *filename, struct old_utimbuf32 __user *times)
sys_utimensat(int dfd, const char __user *filename, struct __kernel_timespec __user *utimes, int flags)
sys_utimensat_time32(unsigned int dfd, const char __user *filename, struct old_timespec32 __user *utimes, int flags)
sys_utimes(char __user *filename, struct __kernel_old_timeval __user *utimes)
sys_utimes_time32(const char __user *filename, struct old_timeval32 __user *utimes)
sys_vfork()
sys_vhangup()
sys_vmsplice(int fd, const struct iovec __user *uiov, unsigned long nr_segs, unsigned int flags)
sys_wait4(pid_t upid, int __user *stat_addr, int options, struct rusage __user *ru)
sys_waitid(int which, pid_t upid, struct siginfo __user *infop, int options, struct rusage __user *ru)
sys_waitpid(pid_t pid, int __user *stat_addr, int options)
sys_write(unsigned int fd, const char __user *buf, size_t count)
sys_writev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
"""
