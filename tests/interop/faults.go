package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// What happens when something breaks, and after how long users are served again: `go test -v -run TestFault` tells
// it in lines that begin with "fault:". docs/operations.md has them beside what an operator should do.

// startFaulty runs our own server and agent with a wire between them.
func startFaulty(t *testing.T, spec serverSpec, agents agentSpec) (*server, *agent, *wire) {
	t.Helper()
	pair := ours(t)
	s := startServer(t, pair.server, spec)
	w := newWire(t, s.agents)
	agents.address = w.address
	return s, startAgent(t, pair.agent, s, agents), w
}

// tell reports a time, for people.
func tell(t testing.TB, what string, since time.Time) {
	t.Helper()
	t.Logf("fault: %s: %.2f s", what, time.Since(since).Seconds())
}

// served is a check for poll: a dial works, and a word comes back.
func served(dial dialer, target string) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		conn, err := dial(ctx, target)
		if err != nil {
			return err
		}
		defer func() { go conn.Close() }()
		return ping(conn, "served")
	}
}

// mustServeAgain tells how long it took from `since`.
func mustServeAgain(t testing.TB, what string, since time.Time, dial dialer, target string) {
	t.Helper()
	eventually(t, what, 2*patience, served(dial, target))
	tell(t, what+", served again after", since)
}

// load is random tunnels without end. A tunnel that breaks is nobody's fault; one that looks whole and is not is.
type load struct {
	stop    chan struct{}
	workers sync.WaitGroup
}

// underLoad keeps eight tunnels busy until the test ends, and fails it when a byte is wrong. breaksLookWhole: clients
// cannot tell, because it is the kernel that closes their connections.
func underLoad(t testing.TB, dial dialer, breaksLookWhole bool) {
	l, judging := &load{stop: make(chan struct{})}, newJudge(t)
	for range 8 {
		l.workers.Add(1)
		go func() {
			defer l.workers.Done()
			for !l.over() {
				j := job{seed: rand.Uint64(), up: rand.IntN(1 << 18), down: rand.IntN(1 << 18)}
				err := j.run(dial, judging)
				looksWhole := !breaksLookWhole && errors.Is(err, io.EOF) && strings.HasPrefix(err.Error(), "client:")
				if errors.Is(err, errWrongBytes) || looksWhole {
					t.Errorf("%v: %v", j, err)
				} else if err != nil {
					time.Sleep(10 * time.Millisecond) // not a busy loop while nothing works
				}
			}
		}()
	}
	t.Cleanup(l.end)
}

func (l *load) over() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

func (l *load) end() {
	if !l.over() {
		close(l.stop)
	}
	l.workers.Wait()
}

// launcher gives the program started by a shell after `first`, a line of its script.
func launcher(t testing.TB, program peer, first string) peer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "launcher")
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\n%s\nexec %s \"$@\"\n", first, program.path), 0o755); err != nil {
		t.Fatal(err)
	}
	program.path = path
	return program
}

// mute gives an address that accepts connections and never says a word.
func mute(t testing.TB) string {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	return listen(t, "127.0.0.1", func(net.Conn) { <-done }).address
}

func wants(text, part string) error {
	if strings.Contains(text, part) {
		return nil
	}
	return fmt.Errorf("it does not say %q", part)
}
