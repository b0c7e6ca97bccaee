package main

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ends gives a wire between two sockets that keep packets apart, as devices do, and the far ends of both.
func ends(t *testing.T, w *wire) (near, far int) {
	t.Helper()
	var pairs [2][2]int
	for i := range pairs {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.SetNonblock(pair[1], true)
		pairs[i] = pair
	}
	go w.carry(pairs[0][1], pairs[1][1])
	return pairs[0][0], pairs[1][0]
}

func receive(t *testing.T, descriptor int, limit time.Duration) []byte {
	t.Helper()
	ready := []unix.PollFd{{Fd: int32(descriptor), Events: unix.POLLIN}}
	if n, _ := unix.Poll(ready, int(limit.Milliseconds())); n == 0 {
		return nil
	}
	packet := make([]byte, mtu)
	n, err := unix.Read(descriptor, packet)
	if err != nil {
		t.Fatal(err)
	}
	return packet[:n]
}

func TestCarriesPacketsInOrderAndNotBeforeTheirTime(t *testing.T) {
	w := &wire{oneWay: 30 * time.Millisecond, rate: 1e9, queue: time.Second}
	near, far := ends(t, w)
	sent := time.Now()
	for i := range byte(100) {
		unix.Write(near, []byte{i})
	}
	for i := range byte(100) {
		got := receive(t, far, 5*time.Second)
		if len(got) != 1 || got[0] != i {
			t.Fatalf("packet %d came as %v", i, got)
		}
		if under := time.Since(sent); under < w.oneWay {
			t.Fatalf("packet %d came after %v, sooner than the wire is long (%v)", i, under, w.oneWay)
		}
	}
}

func TestSendsNoFasterThanItsRate(t *testing.T) {
	w := &wire{rate: 100_000, queue: time.Second} // a packet of 1000 bytes takes 10 ms
	near, far := ends(t, w)
	sent := time.Now()
	for range 10 {
		unix.Write(near, make([]byte, 1000))
	}
	for range 10 {
		receive(t, far, 5*time.Second)
	}
	if took := time.Since(sent); took < 100*time.Millisecond {
		t.Fatalf("10,000 bytes took %v at 100,000 bytes a second", took)
	}
}

func TestDropsWhatItsQueueCannotHold(t *testing.T) {
	w := &wire{rate: 1000, queue: time.Second} // a packet of 1000 bytes fills the queue
	near, far := ends(t, w)
	for i := range byte(3) {
		unix.Write(near, append([]byte{i}, make([]byte, 1499)...))
	}
	if got := receive(t, far, 5*time.Second); got == nil || got[0] != 0 {
		t.Fatalf("the first packet came as %v", got)
	}
	if got := receive(t, far, 2*time.Second); got != nil {
		t.Fatalf("packet %d passed a full queue", got[0])
	}
}

func TestLosesAllWithALossOfOne(t *testing.T) {
	near, far := ends(t, &wire{rate: 1e9, queue: time.Second, loss: 1})
	unix.Write(near, []byte("gone"))
	if got := receive(t, far, 200*time.Millisecond); got != nil {
		t.Fatalf("%q survived", got)
	}
}

func TestFlightKeepsItsOrderWhenItGrows(t *testing.T) {
	var f flight
	const many = 5000
	for i := range many {
		f.slot()[0] = byte(i)
		f.push(time.Unix(int64(i), 0), 1)
		if i%3 == 0 { // lets the ring's start wander
			f.first, f.count = (f.first+1)%len(f.packets), f.count-1
		}
	}
	for i := 1; i < f.count; i++ {
		if !f.at(i - 1).due.Before(f.at(i).due) {
			t.Fatalf("packet %d is due at %v, after %v", i, f.at(i).due, f.at(i-1).due)
		}
	}
}
