package interop

import (
	"net"
	"sync"
	"testing"
)

// wire is the line between an agent and its server. It can fall silent, so that nothing comes through in either
// direction, and be cut, so that what is under way breaks and nobody gets a new connection.
type wire struct {
	*endpoint
	to string

	mu     sync.Mutex
	healed *sync.Cond
	silent bool
	cut    bool
	ends   map[net.Conn]bool
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	w := &wire{to: to, ends: map[net.Conn]bool{}}
	w.healed = sync.NewCond(&w.mu)
	w.endpoint = listen(t, "127.0.0.1", w.carry)
	t.Cleanup(w.sever)
	return w
}

// fallSilent: as a router that drops every packet, until heal.
func (w *wire) fallSilent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = true
}

// sever breaks all connections and refuses new ones, until heal.
func (w *wire) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for end := range w.ends {
		end.Close()
	}
	w.healed.Broadcast()
}

func (w *wire) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent, w.cut = false, false
	w.healed.Broadcast()
}

// passes waits while the wire is silent; false: it is cut.
func (w *wire) passes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.silent && !w.cut {
		w.healed.Wait()
	}
	return !w.cut
}

func (w *wire) hold(ends ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range ends {
		w.ends[end] = true
		if w.cut {
			end.Close()
		}
	}
}

func (w *wire) release(ends ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range ends {
		end.Close()
		delete(w.ends, end)
	}
}

func (w *wire) carry(near net.Conn) {
	far, err := net.Dial("tcp", w.to)
	if err != nil || !w.passes() {
		return
	}
	w.hold(near, far)
	defer w.release(near, far)
	over := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			w.pump(way[1], way[0])
			over <- struct{}{}
		}()
	}
	<-over
}

func (w *wire) pump(to, from net.Conn) {
	block := make([]byte, 64<<10)
	for {
		n, err := from.Read(block)
		if !w.passes() || err != nil {
			return
		}
		if _, err := to.Write(block[:n]); err != nil {
			return
		}
	}
}
