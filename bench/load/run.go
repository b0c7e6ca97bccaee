package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// settings of one measurement.
type settings struct {
	route    route
	tunnels  int
	warmup   time.Duration
	duration time.Duration
	watch    watch
	control  string // of the target
	slow     int    // readers that take slowRate
	stalled  int    // readers that take nothing
	deaf     int    // targets that take nothing
}

var cases = map[string]func(settings) (any, error){
	"download":  download,
	"upload":    upload,
	"rtt":       roundTrips,
	"connect":   connects,
	"idle":      idle,
	"isolation": isolation,
	"churn":     churn,
	"outage":    outage,
}

func runCommand(arguments []string) error {
	s := settings{watch: watch{}}
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	name := flags.String("case", "download", "download, upload, rtt, connect, idle, isolation, churn or outage")
	seconds := flags.Float64("seconds", 2, "how long to measure")
	warmup := flags.Float64("warmup", 0.5, "seconds of the same before that")
	flags.IntVar(&s.tunnels, "tunnels", 1, "tunnels used side by side")
	flags.IntVar(&s.slow, "slow", 0, "isolation: slow readers beside them")
	flags.IntVar(&s.stalled, "stalled", 0, "isolation: readers that stop reading beside them")
	flags.IntVar(&s.deaf, "deaf", 0, "isolation: targets that stop reading beside them")
	flags.Var(s.watch, "watch", "processes to measure: role=pid,...")
	flags.StringVar(&s.control, "control", "", "control socket of the target")
	routeFlags(flags, &s.route)
	flags.Parse(arguments)
	s.duration, s.warmup = duration(*seconds), duration(*warmup)

	run := cases[*name]
	if run == nil {
		return fmt.Errorf("no case called %q", *name)
	}
	result, err := run(s)
	if err != nil {
		return err
	}
	return emit(result)
}

func routeFlags(flags *flag.FlagSet, r *route) {
	flags.StringVar(&r.via, "via", "tcp", "tcp, unix, connect-unix, connect-tls, connect-h2, grpc-unix or grpc-tls")
	flags.StringVar(&r.front, "front", "", "where the client connects: host:port or the path of a socket")
	flags.StringVar(&r.to, "to", "", "the target, as the far end dials it")
	identityFlags(flags, &r.identity)
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// waitCommand is how every contender is found ready: by what it is for.
func waitCommand(arguments []string) error {
	var r route
	flags := flag.NewFlagSet("wait", flag.ExitOnError)
	limit := flags.Duration("limit", 20*time.Second, "how long to try")
	routeFlags(flags, &r)
	flags.Parse(arguments)

	deadline := time.Now().Add(*limit)
	for {
		err := tryOnce(r)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || errors.Is(err, errNotSpoken) {
			return fmt.Errorf("no byte came back from %s through %s: %w", r.to, r.front, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func tryOnce(r route) error {
	dial, err := r.dialer()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	conn, err := openEcho(ctx, dial)
	if err == nil {
		go conn.Close()
	}
	return err
}

// openEcho opens a tunnel to an echo and proves that a byte comes back.
func openEcho(ctx context.Context, dial dialer) (tunnel, error) {
	conn, err := openService(ctx, dial, serviceEcho)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := ping(conn, make([]byte, 1)); err != nil {
		go conn.Close()
		return nil, err
	}
	return conn, nil
}

// ping sends the message to an echo and reads it back.
func ping(conn tunnel, message []byte) error {
	if _, err := conn.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, message)
	return err
}
