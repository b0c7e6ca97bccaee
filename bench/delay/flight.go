package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// flight is the packets under way, in the order in which they are due: a ring that grows and keeps its memory.
type flight struct {
	packets []packet
	first   int
	count   int
}

type packet struct {
	due   time.Time
	bytes [mtu]byte
	size  int
}

// slot is where the next packet may be read into; push makes it count.
func (f *flight) slot() []byte {
	if f.count == len(f.packets) {
		f.grow()
	}
	return f.at(f.count).bytes[:]
}

func (f *flight) push(due time.Time, size int) {
	last := f.at(f.count)
	last.due, last.size = due, size
	f.count++
}

func (f *flight) at(i int) *packet { return &f.packets[(f.first+i)%len(f.packets)] }

func (f *flight) grow() {
	larger := make([]packet, max(1024, 2*len(f.packets)))
	for i := range f.count {
		larger[i] = *f.at(i)
	}
	f.packets, f.first = larger, 0
}

// next is when the first packet is due; the zero time if there is none.
func (f *flight) next() time.Time {
	if f.count == 0 {
		return time.Time{}
	}
	return f.at(0).due
}

// land hands over every packet that is due.
func (f *flight) land(now time.Time, to int) error {
	for f.count > 0 && !f.at(0).due.After(now) {
		p := f.at(0)
		// A device that is down or full loses the packet, as a wire's end would.
		if _, err := unix.Write(to, p.bytes[:p.size]); err != nil && err != unix.EIO && err != unix.EAGAIN && err != unix.ENOBUFS {
			return fmt.Errorf("writing a packet of %d bytes: %w", p.size, err)
		}
		f.first = (f.first + 1) % len(f.packets)
		f.count--
	}
	return nil
}
