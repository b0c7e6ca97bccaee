package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The native link (docs/protocol.md), which only our own server and agent speak with each other.

// ours gives our own server and agent; without them there is nothing to test.
func ours(t *testing.T) pairing {
	t.Helper()
	var pair pairing
	for _, program := range world.servers {
		if !program.reference() {
			pair.server = program
		}
	}
	for _, program := range world.agents {
		if !program.reference() {
			pair.agent = program
		}
	}
	if pair.server.path == "" || pair.agent.path == "" {
		t.Skip("needs our own server and agent")
	}
	return pair
}

// startNative runs both and makes sure of what they speak.
func startNative(t *testing.T, spec serverSpec) (*server, *agent) {
	t.Helper()
	pair := ours(t)
	s := startServer(t, pair.server, spec)
	a := startAgent(t, pair.agent, s, agentSpec{})
	if !s.speaksNative() {
		t.Fatal("server and agent do not speak the native link")
	}
	return s, a
}

func (s *server) speaksNative() bool { return strings.Contains(s.output(), "link=native") }

// eachNativeFrontend runs the test for the frontends that can pass on half a close.
func eachNativeFrontend(t *testing.T, test func(t *testing.T, spec serverSpec)) {
	t.Parallel()
	for _, front := range frontends[2:] {
		t.Run("client="+front.name, func(t *testing.T) {
			t.Parallel()
			test(t, front.spec)
		})
	}
}

func TestNativeLinkCanBeDeclined(t *testing.T) {
	t.Parallel()
	off := []string{"--native-link=false"}
	for name, flags := range map[string]struct{ server, agent []string }{"by the server": {off, nil}, "by the agent": {nil, off}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pair := ours(t)
			s := startServer(t, pair.server, serverSpec{http: true, flags: flags.server})
			startAgent(t, pair.agent, s, agentSpec{flags: flags.agent})
			mustPing(t, mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address), "konnectivity")
			if s.speaksNative() {
				t.Error("they speak the native link although one of them should not")
			}
		})
	}
}

// Every byte that a side accepted arrives once, in order, in its own tunnel.
func TestNativeIntegrity(t *testing.T) {
	t.Parallel()
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			t.Parallel()
			s, _ := startNative(t, front.spec)
			count := 600
			if world.full {
				count = 6000
			}
			jobs := randomJobs(pairing{s.program, ours(t).agent}, front.spec, count/10)
			for range count - len(jobs) { // most connections are small
				j := job{seed: rand.Uint64(), up: rand.IntN(1 << (4 + rand.IntN(12))), down: rand.IntN(1 << (4 + rand.IntN(12)))}
				jobs = append(jobs, j)
			}
			rand.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
			runAll(t, jobs, 100, dialerFor(t, s), newJudge(t))
		})
	}
}

// Neither a client nor an endpoint that stops reading is anybody else's business.
func TestNativeStalledReadersStopNobodyElse(t *testing.T) {
	t.Parallel()
	for _, front := range frontends {
		t.Run("client="+front.name, func(t *testing.T) {
			t.Parallel()
			s, _ := startNative(t, front.spec)
			dial := dialerFor(t, s)
			bystander := mustDial(t, dial, listen(t, "127.0.0.1", echo).address)
			if front.spec.http {
				io.WriteString(mustDial(t, dial, listen(t, "127.0.0.1", source).address), "!") // and nobody reads
			} else {
				stallClient(t, s, listen(t, "127.0.0.1", source).address)
			}
			stuck := mustDial(t, dial, stalled(t).address)
			go io.CopyBuffer(struct{ io.Writer }{stuck}, endless{}, make([]byte, 64<<10))
			var jobs []job
			for range 24 {
				jobs = append(jobs, job{seed: rand.Uint64(), up: 1 << 20, down: 1 << 20})
			}
			runAll(t, jobs, 4, dial, newJudge(t))
			mustPing(t, bystander, "still here")
		})
	}
}

func TestNativeHalfCloseOfTheClient(t *testing.T) {
	eachNativeFrontend(t, func(t *testing.T, spec serverSpec) {
		s, _ := startNative(t, spec)
		target := listen(t, "127.0.0.1", func(conn net.Conn) {
			question, _ := io.ReadAll(conn) // to the end, which only a half-close brings
			conn.Write(bytes.ToUpper(question))
		})
		conn := mustDial(t, dialerFor(t, s), target.address)
		io.WriteString(conn, "question")
		if err := conn.(*bufferedConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := readsAll(conn, "QUESTION"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNativeHalfCloseOfTheTarget(t *testing.T) {
	eachNativeFrontend(t, func(t *testing.T, spec serverSpec) {
		s, _ := startNative(t, spec)
		heard := make(chan error, 1)
		target := listen(t, "127.0.0.1", func(conn net.Conn) {
			io.WriteString(conn, "greeting")
			conn.(*net.TCPConn).CloseWrite()
			heard <- readsAll(conn, "late words")
		})
		conn := mustDial(t, dialerFor(t, s), target.address)
		if err := readsAll(conn, "greeting"); err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "late words")
		if err := conn.(*bufferedConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := within(patience, "target", func() error { return <-heard }); err != nil {
			t.Fatal(err)
		}
	})
}

// readsAll wants exactly this text and then a proper end.
func readsAll(conn io.Reader, want string) error {
	return within(patience, "reading to the end", func() error {
		got, err := io.ReadAll(conn)
		if err != nil || string(got) != want {
			return fmt.Errorf("read %q (%v), want %q and the end", got, err, want)
		}
		return nil
	})
}

// broken wants an end that cannot be taken for a proper one.
func broken(conn io.Reader) error { return brokenWithin(patience, conn) }

func brokenWithin(limit time.Duration, conn io.Reader) error {
	return within(limit, "the break of the connection", func() error {
		if _, err := io.Copy(io.Discard, conn); err == nil {
			return errors.New("it ended as if it were whole")
		}
		return nil
	})
}

func TestNativeResetOfTheTargetReachesTheClient(t *testing.T) {
	t.Parallel()
	s, _ := startNative(t, serverSpec{http: true})
	conn := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", func(conn net.Conn) {
		io.WriteString(conn, "half a sent")
		resetter(conn)
	}).address)
	io.ReadFull(conn, make([]byte, len("half a sent")))
	io.WriteString(conn, "!")
	if err := broken(conn); err != nil {
		t.Fatal(err)
	}
}

func TestNativeResetOfTheClientReachesTheTarget(t *testing.T) {
	t.Parallel()
	s, _ := startNative(t, serverSpec{http: true})
	verdict := make(chan error, 1)
	conn := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", func(conn net.Conn) { verdict <- broken(conn) }).address)
	io.WriteString(conn, "half a sent")
	conn.(*bufferedConn).Conn.(*tls.Conn).NetConn().(*net.TCPConn).SetLinger(0)
	conn.(*bufferedConn).Conn.(*tls.Conn).NetConn().Close()
	if err := within(patience, "target", func() error { return <-verdict }); err != nil {
		t.Fatal(err)
	}
}

func TestNativeAgentIsKilled(t *testing.T) {
	t.Parallel()
	s, a := startNative(t, serverSpec{http: true})
	target := listen(t, "127.0.0.1", echo).address
	conn := mustDial(t, dialerFor(t, s), target)
	mustPing(t, conn, "x")
	a.kill()
	if err := broken(conn); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no agent any more", patience, noAgent(t, s, target))
	startAgent(t, a.program, s, agentSpec{})
	mustPing(t, mustDial(t, dialerFor(t, s), target), "again")
}

// noAgent wants a dial to be refused for want of an agent.
func noAgent(t testing.TB, s *server, target string) func() error {
	dial := dialerFor(t, s)
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		conn, err := dial(ctx, target)
		var refused *refusal
		if err == nil {
			conn.Close()
		}
		if !errors.As(err, &refused) || !strings.Contains(refused.body, "No agent available") {
			return fmt.Errorf("dial ended with %v", err)
		}
		return nil
	}
}

func TestNativeServerIsKilled(t *testing.T) {
	t.Parallel()
	s, a := startNative(t, serverSpec{http: true})
	arrived := make(chan error, 1)
	gone := make(chan error, 1)
	target := listen(t, "127.0.0.1", func(conn net.Conn) {
		_, err := io.ReadFull(conn, make([]byte, 1))
		arrived <- err
		gone <- broken(conn)
	})
	io.WriteString(mustDial(t, dialerFor(t, s), target.address), "!")
	wantMetric(t, a.health, 1, agentPrefix+"open_endpoint_connections")
	if err := within(patience, "first byte", func() error { return <-arrived }); err != nil {
		t.Fatal(err)
	}
	s.kill()
	if err := within(patience, "target", func() error { return <-gone }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "not ready", patience, wantPage(a.health, "/readyz", 503, "no servers connected"))
	again := startServer(t, s.program, serverSpec{http: true, on: s})
	eventually(t, "ready again", patience, wantPage(a.health, "/readyz", 200, "ok"))
	eventually(t, "server ready", patience, wantPage(again.health, "/readyz", 200, "ok"))
	mustPing(t, mustDial(t, dialerFor(t, again), listen(t, "127.0.0.1", echo).address), "again")
}

// A machine that stops without a word: nothing but the missing answers tells.
const (
	silenceKnownWithin = 20 * time.Second
	silenceEndsWithin  = 35 * time.Second
)

func TestNativeServerNoticesAnAgentThatFellSilent(t *testing.T) {
	t.Parallel()
	s, a := startNative(t, serverSpec{http: true})
	target := listen(t, "127.0.0.1", echo).address
	conn := mustDial(t, dialerFor(t, s), target)
	mustPing(t, conn, "x")
	a.signal(t, syscall.SIGSTOP)
	eventually(t, "dials fail", silenceKnownWithin, noAgent(t, s, target))
	if err := brokenWithin(silenceEndsWithin, conn); err != nil {
		t.Fatal(err)
	}
	a.signal(t, syscall.SIGCONT)
	eventually(t, "the agent comes back", patience, wantPage(s.health, "/readyz", 200, "ok"))
	mustPing(t, mustDial(t, dialerFor(t, s), target), "again")
}

func TestNativeAgentNoticesAServerThatFellSilent(t *testing.T) {
	t.Parallel()
	s, a := startNative(t, serverSpec{http: true})
	s.signal(t, syscall.SIGSTOP)
	eventually(t, "not ready", silenceKnownWithin, wantPage(a.health, "/readyz", 503, "no servers connected"))
	s.signal(t, syscall.SIGCONT)
	eventually(t, "ready again", 2*patience, wantPage(a.health, "/readyz", 200, "ok"))
}
