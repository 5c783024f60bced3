"""Arguments of tracepoints that may be NULL, or something else that is no pointer.

The verifier of 6.13 and later knows most of them, and each release knows more.  One
that does not takes the argument for a valid pointer: it may drop a program's test for
NULL, and a direct load through it can crash the kernel (kfree_skb before 6.14, commit
5da7e15fb5a1).  So skep has to know them itself, on every kernel.
"""

from __future__ import annotations

# Source: raw_tp_null_args, kernel/bpf/btf.c of 7.2, where the kernel's developers went
# through all tracepoints.  Arguments count from 0; a line of numbers holds for the
# tracepoints below it.  Some are not only NULL but error codes or small numbers:
# cachefiles_lookup 2, signal_deliver and signal_generate 1, mr_integ_alloc 3,
# nfs4_inode_callback_event and nfs4_inode_stateid_callback_event 2.
_NULLABLE = """
0:
    afs_protocol_error amdgpu_vm_bo_map amdgpu_vm_bo_unmap cachefiles_io_error
    cachefiles_mark_active cachefiles_mark_failed cachefiles_mark_inactive
    cachefiles_ondemand_close cachefiles_ondemand_copen cachefiles_ondemand_cread
    cachefiles_ondemand_fd_release cachefiles_ondemand_fd_write
    cachefiles_ondemand_open cachefiles_ondemand_read cachefiles_prep_read
    cachefiles_rename cachefiles_unlink cachefiles_vfs_error
    mm_collapse_huge_page_isolate mm_page_alloc mm_page_alloc_zone_locked
    mm_page_pcpu_drain netfs_folioq nfs4_setup_sequence nfsd_dirent
    nfsd_file_cons_err nfsd_file_insert_err rxrpc_client rxrpc_recvdata
    sched_process_wait tmigr_update_events xfs_blockgc_flush_all xfs_blockgc_start
    xfs_blockgc_stop xfs_blockgc_worker xfs_defer_add_item xfs_defer_cancel_item
    xfs_defer_cancel_list xfs_defer_create_intent xfs_defer_finish_item
    xfs_defer_isolate_paused xfs_defer_item_pause xfs_defer_item_unpause
    xfs_defer_pending_abort xfs_defer_pending_finish xfs_defer_relog_intent
    xfs_fs_sync_fs xfs_inodegc_flush xfs_inodegc_push xfs_inodegc_queue
    xfs_inodegc_start xfs_inodegc_stop xfs_inodegc_throttle xs_stream_read_data
0,1:
    cfg80211_scan_done tcp_send_reset
0,2:
    cachefiles_lookup
0,3:
    nfsd_file_acquire
1:
    afs_flock_ev afs_make_fs_call afs_make_fs_call1 afs_make_fs_call2
    afs_make_fs_calli break_lease_block break_lease_noblock break_lease_unblock
    coda_dec_pic_done coda_dec_pic_run device_pm_callback_start ext4_mballoc_discard
    ext4_mballoc_free fcntl_setlk flock_lock_inode folio_wait_writeback
    generic_delete_lease hugetlbfs_alloc_inode locks_remove_posix
    mm_khugepaged_collapse_file mm_khugepaged_scan_file mm_khugepaged_scan_pmd
    neigh_update netfs_failure posix_lock_inode rdev_set_coalesce rxrpc_resend
    rxrpc_tq sched_pi_setprio signal_deliver signal_generate spufs_context
    time_out_leases wiphy_work_cancel wiphy_work_flush wiphy_work_queue
    wiphy_work_run writeback_dirty_folio xchk_nlinks_live_update
    xfs_blockgc_free_space xfs_ioc_free_eofblocks xprt_get_cong xprt_put_cong
    xprt_release_cong xprt_reserve_cong
2:
    amdtp_packet binder_transaction btree_path_free cfg80211_inform_bss_frame
    cfg80211_report_wowlan_wakeup dpu_crtc_setup_mixer fib_table_lookup
    kvm_page_fault_enter nfs4_inode_callback_event nfs4_inode_stateid_callback_event
    sched_stick_numa sched_swap_numa tcp_sendmsg_locked tegra_dma_tx_status
    xchk_metapath_lookup xfs_btree_overlapped_query_range xfs_btree_updkeys
3:
    hfi1_sdma_progress iptfs_ingress_postq_event kfree_skb mr_integ_alloc
    qdisc_dequeue xfs_iomap_alloc xfs_iomap_found
4:
    cfg80211_michael_mic_failure host1x_cdma_push_gather
    pnfs_mds_fallback_pg_get_mirror_count pnfs_mds_fallback_pg_init_read
    pnfs_mds_fallback_pg_init_write pnfs_mds_fallback_read_done
    pnfs_mds_fallback_read_pagelist pnfs_mds_fallback_write_done
    pnfs_mds_fallback_write_pagelist pnfs_update_layout xfs_map_blocks_alloc
    xfs_map_blocks_found
"""


def nullable_arguments(tracepoint: str) -> tuple[int, ...]:
    """The positions of a tracepoint's arguments that may be no valid pointer."""
    positions: tuple[int, ...] = ()
    for line in _NULLABLE.split("\n"):
        if line.endswith(":"):
            positions = tuple(map(int, line[:-1].split(",")))
        elif tracepoint in line.split():
            return positions
    return ()
