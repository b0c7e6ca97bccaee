package interop

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

var overHTTP = serverSpec{http: true}

func TestFaultServerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s, a, _ := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	underLoad(t, dial, true)
	mustServeAgain(t, "under load", time.Now(), dial, target)
	s.kill()
	since := time.Now()
	spec := overHTTP
	spec.on = s
	startServer(t, s.program, spec)
	mustServeAgain(t, "server killed and started again", since, dial, target)
	if !a.alive() {
		t.Error("the agent ended with the server")
	}
}

func TestFaultAgentKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s, a, w := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	underLoad(t, dial, false)
	mustServeAgain(t, "under load", time.Now(), dial, target)
	a.kill()
	since := time.Now()
	startAgent(t, a.program, s, agentSpec{address: w.address})
	mustServeAgain(t, "agent killed and started again", since, dial, target)
}

// Everything that was under way breaks, and nothing is taken for whole.
func TestFaultLineCut(t *testing.T) {
	t.Parallel()
	s, a, w := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	underLoad(t, dial, false)
	mustServeAgain(t, "under load", time.Now(), dial, target)
	w.sever()
	eventually(t, "the agent knows", patience, wantPage(a.health, "/readyz", 503, "no servers connected"))
	eventually(t, "the server knows", patience, noAgent(t, s, target))
	w.heal()
	mustServeAgain(t, "line cut and restored", time.Now(), dial, target)
}

// A line that carries nothing for some seconds costs time, and no byte and no connection.
func TestFaultLineSilentForAMoment(t *testing.T) {
	t.Parallel()
	s, _, w := startFaulty(t, overHTTP, agentSpec{})
	dial := dialerFor(t, s)
	held := mustDial(t, dial, listen(t, "127.0.0.1", echo).address)
	mustPing(t, held, "before")
	w.fallSilent()
	answered := make(chan error, 1)
	go func() { answered <- ping(held, "during") }()
	time.Sleep(4 * time.Second) // the length of the fault, not a wait for something
	w.heal()
	since := time.Now()
	if err := within(patience, "the word that was under way", func() error { return <-answered }); err != nil {
		t.Fatal(err)
	}
	tell(t, "line silent for 4 s, a connection goes on after", since)
	runAll(t, []job{{seed: rand.Uint64(), up: 1 << 20, down: 1 << 20}}, 1, dial, newJudge(t))
}

// Long enough for new dials to go elsewhere, too short for the connections to be given up.
func TestFaultLineSilentForLong(t *testing.T) {
	t.Parallel()
	s, a, w := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	var held []net.Conn // enough for links on all cores
	for range 16 {
		held = append(held, mustDial(t, dial, target))
		mustPing(t, held[len(held)-1], "before")
	}
	w.fallSilent()
	for _, conn := range held {
		if _, err := io.WriteString(conn, "during"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the server knows", silenceKnownWithin, noAgent(t, s, target))
	eventually(t, "the agent knows", silenceKnownWithin, wantPage(a.health, "/readyz", 503, "no servers connected"))
	w.heal()
	since := time.Now()
	mustServeAgain(t, "line silent for 15 s", since, dial, target)
	for _, conn := range held {
		if err := hear(conn, "during"); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, "line silent for 15 s, its connections go on after", since)
	for _, conn := range held {
		mustPing(t, conn, "after")
	}
}

// Half-open: the other machine has gone without a word.
func TestFaultLineSilentForGood(t *testing.T) {
	t.Parallel()
	s, a, w := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dial, target)
	mustPing(t, held, "before")
	w.fallSilent()
	since := time.Now()
	eventually(t, "the agent knows", silenceKnownWithin, wantPage(a.health, "/readyz", 503, "no servers connected"))
	eventually(t, "the server knows", silenceKnownWithin, noAgent(t, s, target))
	tell(t, "line silent for good, known after", since)
	if err := brokenWithin(silenceEndsWithin, held); err != nil {
		t.Fatal(err)
	}
	tell(t, "line silent for good, its connections end after", since)
	w.sever()
	w.heal()
	mustServeAgain(t, "half-open line replaced", time.Now(), dial, target)
}

// A stopped process is not a dead one as long as it comes back in time.
func TestFaultFrozenForAMoment(t *testing.T) {
	t.Parallel()
	s, a, _ := startFaulty(t, overHTTP, agentSpec{})
	held := mustDial(t, dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
	for name, frozen := range map[string]*process{"agent": a.process, "server": s.process} {
		mustPing(t, held, "before")
		frozen.signal(t, syscall.SIGSTOP)
		time.Sleep(3 * time.Second) // the length of the fault
		frozen.signal(t, syscall.SIGCONT)
		since := time.Now()
		mustPing(t, held, "after")
		tell(t, name+" frozen for 3 s, a connection goes on after", since)
	}
}

// One that does not come back in time is given up: what it held breaks, and when it wakes it is let in again.
func TestFaultFrozenForGood(t *testing.T) {
	t.Parallel()
	s, a, _ := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	held := mustDial(t, dial, target)
	mustPing(t, held, "before")
	a.signal(t, syscall.SIGSTOP)
	since := time.Now()
	eventually(t, "dials fail", silenceKnownWithin, noAgent(t, s, target))
	tell(t, "agent frozen for good, known after", since)
	if err := brokenWithin(silenceEndsWithin, held); err != nil {
		t.Fatal(err)
	}
	a.signal(t, syscall.SIGCONT)
	mustServeAgain(t, "frozen agent that wakes", time.Now(), dial, target)
}

// An address that takes connections and never answers holds up an agent that knows a better one only once.
func TestFaultServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	pair := ours(t)
	s := startServer(t, pair.server, overHTTP)
	since := time.Now()
	spec := agentSpec{address: mute(t), noWait: true, flags: []string{"--proxy-server-addresses=" + s.agents}}
	startAgent(t, pair.agent, s, spec)
	mustServeAgain(t, "the first of two servers accepts and never answers", since, dialerFor(t, s), listen(t, "127.0.0.1", echo).address)
}

// A target that never reads, and one that never answers the SYN, are nobody else's business.
func TestFaultTargetThatNeverReads(t *testing.T) {
	t.Parallel()
	s, _, _ := startFaulty(t, overHTTP, agentSpec{})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	stuck := mustDial(t, dial, stalled(t).address)
	go stuck.Write(make([]byte, 64<<20))
	hole := blackHole(t)
	for range 20 {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if conn, err := dial(ctx, hole); err == nil {
				conn.Close()
			}
		}()
	}
	since := time.Now()
	for range 50 {
		if err := served(dial, target)(); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, "50 connections beside a target that never reads and 20 dials that hang, all", since)
}

// Five thousand clients that come in one moment are all served.
func TestFaultStormOfConnections(t *testing.T) {
	const clients = 5000
	s, _, _ := startFaulty(t, serverSpec{http: true, unix: true}, agentSpec{})
	dial := dialerFor(t, s)
	var targets []string // each with an accept queue of its own, which the kernel limits
	for range 5 {
		targets = append(targets, listen(t, "127.0.0.1", echo).address)
	}
	type outcome struct {
		conn net.Conn
		err  error
	}
	outcomes, since := make(chan outcome, clients), time.Now()
	for i := range clients {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
			defer cancel()
			conn, err := dial(ctx, targets[i%len(targets)])
			if err == nil {
				err = ping(conn, "here")
			}
			outcomes <- outcome{conn, err}
		}()
	}
	failed := 0
	for range clients {
		got := <-outcomes
		if got.conn != nil {
			defer got.conn.Close()
		}
		if got.err != nil {
			if failed++; failed <= 3 {
				t.Error(got.err)
			}
		}
	}
	if failed > 0 {
		t.Fatalf("%d of %d connections failed", failed, clients)
	}
	tell(t, "5,000 connections opened at once, all held and answered after", since)
}

// A log that cannot be written costs the log.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	full := []string{"--logtostderr=false", "--log-file=/dev/full", "-v=4"}
	s, a, _ := startFaulty(t, serverSpec{http: true, flags: full}, agentSpec{flags: full})
	dial, target := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	for range 20 {
		if err := served(dial, target)(); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []*process{s.process, a.process} {
		if !strings.Contains(program.output(), "/dev/full") {
			t.Errorf("%s does not say on standard error that it cannot write its log: %q", program.name, program.output())
		}
	}
}
