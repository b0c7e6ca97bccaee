package interop

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A slow name server holds up only who asks it; a wrong name is told; a name that moves is followed.
func TestFaultNames(t *testing.T) {
	t.Parallel()
	pair := ours(t)
	s := startServer(t, pair.server, overHTTP)
	program, names := resolving(t, pair.agent)
	startAgent(t, program, s, agentSpec{})
	dial, echoing := dialerFor(t, s), listen(t, "127.0.0.1", echo).address
	here := [4]byte{127, 0, 0, 1}

	names.say("slow.example", answer{address: here, after: 3 * time.Second})
	slow, since := make(chan error, 1), time.Now()
	go func() { slow <- served(patient(dial), "slow.example:"+portOf(echoing))() }()
	for range 50 {
		if err := served(dial, echoing)(); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, "50 connections beside a name that takes 3 s, all", since)
	if err := within(patience, "the slow name", func() error { return <-slow }); err != nil {
		t.Fatal(err)
	}
	tell(t, "the connection to that name after", since)

	names.say("none.example", answer{none: true})
	var refused *refusal
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := dial(ctx, "none.example:80"); !errors.As(err, &refused) || !strings.Contains(refused.body, "no such host") {
		t.Errorf("a name that does not exist is answered with: %v", err)
	}

	port := portOf(echoing)
	elsewhere, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	go func() {
		for conn, err := elsewhere.Accept(); err == nil; conn, err = elsewhere.Accept() {
			io.WriteString(conn, "moved")
			conn.Close()
		}
	}()
	names.say("moving.example", answer{address: here})
	mustPing(t, mustDial(t, dial, "moving.example:"+port), "here")
	names.say("moving.example", answer{address: [4]byte{127, 0, 0, 2}})
	if err := readsAll(mustDial(t, dial, "moving.example:"+port), "moved"); err != nil {
		t.Error(err)
	}
}

// patient dials for longer than others would wait.
func patient(dial dialer) dialer {
	return func(_ context.Context, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return dial(ctx, address)
	}
}
