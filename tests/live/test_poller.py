"""The poller: records, intervals and signals, on the running kernel."""

from __future__ import annotations

import os
import signal
import threading
import time
import unittest

from skep.runtime.poller import Event, Poller
from skep.runtime.ring import RingBuffer
from skep.runtime.signals import StopSignals
from skep.spec import AttachSpec, MapSpec
from tests.live import support
from tests.live.runtime_programs import RuntimeTest, emit, records


class Polling(RuntimeTest):
    def setUp(self) -> None:
        events = MapSpec("events", "ringbuf", 0, 0, 1 << 16)
        collection = self.load(AttachSpec("test_run", ""), emit(1), events)
        self.program = collection.programs[0]
        self.ring = RingBuffer(collection.maps["events"])
        self.addCleanup(self.ring.close)

    def poller(self, **settings: object) -> Poller:
        poller = Poller((self.ring,), **settings)  # type: ignore[arg-type]
        self.addCleanup(poller.close)
        return poller

    @support.only_on("6.1")
    def test_records_gather(self) -> None:
        stop = threading.Event()

        def produce() -> None:
            while not stop.is_set():
                self.program.test_run((time.monotonic_ns(),))
                time.sleep(0.001)

        producer = threading.Thread(target=produce)
        producer.start()
        wakes = seen = 0
        for event in self.poller(duration=0.5 * support.SLOW).events():
            seen += len(records(self.ring))
            wakes += event is Event.RECORDS
        stop.set()
        producer.join()
        self.assertGreater(seen, wakes)

    def test_intervals_do_not_drift(self) -> None:
        begin = time.monotonic()
        times = []
        for event in self.poller(interval=0.05, duration=0.52).events():
            if event is Event.INTERVAL:
                times.append(time.monotonic() - begin)
                time.sleep(0.02)
        self.assertLessEqual(len(times), 10)
        for index, at in enumerate(times):
            self.assertGreaterEqual(at, 0.05 * (index + 1))

    def test_slow_reports_are_not_made_up_for(self) -> None:
        events = self.poller(interval=0.01, duration=0.3).events()
        seen = 0
        for event in events:
            if event is Event.INTERVAL:
                seen += 1
                time.sleep(0.1)
        self.assertLessEqual(seen, 4)

    def test_signal_interrupts_the_pause(self) -> None:
        stop = StopSignals()
        self.addCleanup(stop.close)
        events = self.poller(stop=stop).events()
        self.program.test_run((1,))
        # After the poller has begun to wait, also on a slow machine.
        after = 0.005 * support.SLOW
        timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        seen = []
        for event in events:
            seen.append(event)
            records(self.ring)
        self.assertEqual(seen, [Event.RECORDS, Event.STOP])
        self.assertEqual(stop.received, signal.SIGINT)

    def test_signal_in_a_callback_is_not_lost(self) -> None:
        stop = StopSignals()
        self.addCleanup(stop.close)
        events = self.poller(stop=stop).events()
        self.program.test_run((1,))
        self.assertIs(next(events), Event.RECORDS)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # timeout(1) sends it twice
        records(self.ring)
        self.assertIs(next(events), Event.STOP)

    def test_handlers_come_back(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        stop = StopSignals()
        self.assertNotEqual(signal.getsignal(signal.SIGINT), before)
        stop.close()
        self.assertEqual(signal.getsignal(signal.SIGINT), before)
        self.assertEqual(signal.set_wakeup_fd(-1), -1)


if __name__ == "__main__":
    unittest.main()
