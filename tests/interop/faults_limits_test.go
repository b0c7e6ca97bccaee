package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Past its descriptor limit a server keeps what it has and serves again when there is room.
func TestFaultServerOutOfDescriptors(t *testing.T) {
	t.Parallel()
	pair := ours(t)
	s := startServer(t, launcher(t, pair.server, "ulimit -n 100"), overHTTP)
	startAgent(t, pair.agent, s, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dial, target)
	mustPing(t, held, "before")
	var crowd []net.Conn
	for range 150 {
		if conn, err := net.Dial("tcp", s.frontend); err == nil {
			crowd = append(crowd, conn)
		}
	}
	eventually(t, "the server says so", patience, func() error {
		return wants(s.output(), "cannot accept connections until others close")
	})
	mustPing(t, held, "at the limit")
	for _, conn := range crowd {
		conn.Close()
	}
	mustServeAgain(t, "server out of descriptors until others close", time.Now(), dial, target)
	mustPing(t, held, "after")
}

// Past its limit an agent refuses with the reason, keeps what it has and serves again when there is room.
func TestFaultAgentOutOfDescriptors(t *testing.T) {
	t.Parallel()
	pair := ours(t)
	s := startServer(t, pair.server, overHTTP)
	startAgent(t, launcher(t, pair.agent, "ulimit -n 60"), s, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dial, target)
	mustPing(t, held, "before")
	var crowd []net.Conn
	var refused *refusal
	for range 80 {
		conn, err := dialOnce(dial, target)
		if err == nil {
			crowd = append(crowd, conn)
		} else if !errors.As(err, &refused) || !strings.Contains(refused.body, "too many open files") {
			t.Fatalf("a dial past the limit is answered with: %v", err)
		}
	}
	if refused == nil {
		t.Fatal("80 connections fit into 60 descriptors")
	}
	mustPing(t, held, "at the limit")
	for _, conn := range crowd {
		conn.Close()
	}
	mustServeAgain(t, "agent out of descriptors until others close", time.Now(), dial, target)
	mustPing(t, held, "after")
}

func dialOnce(dial dialer, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return dial(ctx, address)
}

// Clients that do not read fill the memory that they may have together; others are served meanwhile.
func TestFaultMemoryLimit(t *testing.T) {
	t.Parallel()
	limits := []string{"--memory-limit=8Mi", "--connection-buffer-limit=1Mi"}
	s, _, _ := startFaulty(t, serverSpec{http: true, flags: limits}, agentSpec{flags: limits})
	dial, target, flood := dialerFor(t, s), listen(t, "127.0.0.1", echo).address, listen(t, "127.0.0.1", source).address
	held := mustDial(t, dial, target)
	for range 40 {
		io.WriteString(mustDial(t, dial, flood), "!") // and nobody reads
	}
	since := time.Now()
	for i := range 50 {
		mustPing(t, held, fmt.Sprint("word ", i))
		if err := served(dial, target)(); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, "50 connections beside 40 that fill the memory limit, all", since)
}

const faketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

// The wall clocks of both machines step, forth and back.
func TestFaultClockSteps(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(faketime); err != nil {
		t.Skip("needs libfaketime (Debian package faketime)")
	}
	pair := ours(t)
	clock := filepath.Join(t.TempDir(), "clock")
	step := func(offset string) {
		if err := os.WriteFile(clock+".new", []byte(offset+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(clock+".new", clock); err != nil {
			t.Fatal(err)
		}
	}
	step("+0")
	shifted := "export LD_PRELOAD=" + faketime + " FAKETIME_TIMESTAMP_FILE=" + clock + " FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1"
	s := startServer(t, launcher(t, pair.server, shifted), overHTTP)
	startAgent(t, launcher(t, pair.agent, shifted), s, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dial, target)
	for _, offset := range []string{"+20h", "-30m", "+0"} { // the certificates hold from an hour ago for a day
		step(offset)
		mustPing(t, held, offset)
		mustServeAgain(t, "clock steps to "+offset, time.Now(), dial, target)
	}
}

// SIGTERM: what is open may finish, and new dials go elsewhere.
func TestFaultAgentDrains(t *testing.T) {
	t.Parallel()
	s, first, w := startFaulty(t, overHTTP, agentSpec{id: "first"})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dial, target)
	mustPing(t, held, "before")
	startAgent(t, first.program, s, agentSpec{id: "second", address: w.address})
	eventually(t, "both are there", patience, func() error { return wants(s.output(), "agent=second") })
	first.mayDie()
	first.signal(t, syscall.SIGTERM)
	eventually(t, "the server knows", patience, func() error { return wants(s.output(), "agent drains") })
	since := time.Now()
	for range 50 {
		if err := served(dial, target)(); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, "agent drains, 50 dials go to another, all", since)
	mustPing(t, held, "while it drains")
	if !first.alive() {
		t.Fatal("the agent ended while a connection was open")
	}
	held.Close()
	if code := first.exitCode(t, patience); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// A server that is told to stop takes no more, and what it carries may finish; the other one serves.
func TestFaultServerDrains(t *testing.T) {
	t.Parallel()
	pair := ours(t)
	spec := serverSpec{http: true, unix: true, flags: []string{"--server-count=2", "--graceful-shutdown-timeout=60s"}}
	one := startServer(t, pair.server, spec)
	two := startBeside(t, one, "127.0.0.2")
	pair.agent.path = withHosts(t, pair.agent.path, "127.0.0.1 proxy.example", "127.0.0.2 proxy.example")
	a := startAgent(t, pair.agent, one, agentSpec{address: "proxy.example:" + portOf(one.agents)})
	wantMetric(t, a.health, 2, agentPrefix+"open_server_connections")
	target := listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dialerFor(t, one), target)
	mustPing(t, held, "before")
	one.mayDie()
	one.signal(t, syscall.SIGTERM)
	eventually(t, "the first takes no more", patience, func() error {
		if wantListening(one.network(), one.frontend)() == nil {
			return errors.New("it still accepts")
		}
		return nil
	})
	since := time.Now()
	for range 50 {
		if err := served(dialerFor(t, two), target)(); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, "server drains, 50 dials through another, all", since)
	mustPing(t, held, "while it drains")
	held.Close()
	if code := one.exitCode(t, patience); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}
