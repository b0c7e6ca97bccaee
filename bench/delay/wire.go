package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// wire is one length of cable with a router's queue in front; both directions are alike and independent.
type wire struct {
	oneWay time.Duration
	rate   float64 // bytes a second
	loss   float64
	queue  time.Duration
}

const (
	mtu   = 1500
	batch = 64 // packets taken in before those that are due go out
)

// carry moves packets from one device to the other until a device fails. It keeps a thread for itself.
func (w *wire) carry(from, to int) error {
	runtime.LockOSThread()
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	var flying flight
	var free time.Time // when the wire's near end has sent all it was given
	for {
		now := time.Now()
		if err := flying.land(now, to); err != nil {
			return err
		}
		taken, err := w.take(from, now, &free, &flying)
		if err != nil {
			return err
		}
		if taken == 0 {
			wait(from, flying.next())
		}
	}
}

// take reads what the device has to send, as far as one batch goes.
func (w *wire) take(from int, now time.Time, free *time.Time, flying *flight) (int, error) {
	for taken := range batch {
		packet := flying.slot()
		n, err := unix.Read(from, packet)
		if err == unix.EAGAIN {
			return taken, nil
		}
		if err != nil {
			return taken, fmt.Errorf("reading a packet: %w", err)
		}
		if free.Before(now) {
			*free = now
		}
		if free.Sub(now) > w.queue || (w.loss > 0 && rand.Float64() < w.loss) {
			continue
		}
		*free = free.Add(time.Duration(float64(n) / w.rate * 1e9))
		flying.push(free.Add(w.oneWay), n)
	}
	return batch, nil
}

func wait(from int, until time.Time) {
	descriptors := []unix.PollFd{{Fd: int32(from), Events: unix.POLLIN}}
	var limit *unix.Timespec
	if !until.IsZero() {
		left := unix.NsecToTimespec(max(0, time.Until(until).Nanoseconds()))
		limit = &left
	}
	unix.Ppoll(descriptors, limit, nil) // an interruption only makes the loop look again
}
