package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// latencies in milliseconds.
type latencies struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Most  float64 `json:"max_ms"`
}

func summary(times []time.Duration) latencies {
	if len(times) == 0 {
		return latencies{}
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[min(len(times)-1, int(share*float64(len(times))))]) / 1e6
	}
	return latencies{len(times), at(0.5), at(0.99), at(0.999), at(1)}
}

const smallMessage = 64

// roundTrips sends 64 bytes to an echo and waits for them, over and over.
func roundTrips(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	conn, err := openEcho(context.Background(), dial)
	if err != nil {
		return nil, err
	}
	if _, err := pingFor(conn, s.warmup); err != nil {
		return nil, err
	}
	end := s.watch.begin()
	times, err := pingFor(conn, s.duration)
	if err != nil {
		return nil, err
	}
	return struct {
		latencies
		usage
	}{summary(times), end()}, nil
}

func pingFor(conn tunnel, limit time.Duration) ([]time.Duration, error) {
	var times []time.Duration
	message := make([]byte, smallMessage)
	for begin, last := time.Now(), time.Now(); last.Sub(begin) < limit; {
		if err := ping(conn, message); err != nil {
			return nil, err
		}
		now := time.Now()
		times = append(times, now.Sub(last))
		last = now
	}
	return times, nil
}

// connectResult counts whole short connections: dial, one byte there and back, close.
type connectResult struct {
	PerSecond float64 `json:"connects_per_s"`
	Failed    int64   `json:"failed"`
	latencies
	usage
}

// connects opens and closes tunnels for the duration, s.tunnels at once.
func connects(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	if times, failed := connectFor(dial, s.tunnels, s.warmup); len(times) == 0 {
		return nil, fmt.Errorf("no connection came about in %v; %d failed", s.warmup, failed)
	}
	end, start := s.watch.begin(), time.Now()
	times, failed := connectFor(dial, s.tunnels, s.duration)
	perSecond := float64(len(times)) / time.Since(start).Seconds()
	return connectResult{perSecond, failed, summary(times), end()}, nil
}

func connectFor(dial dialer, workers int, limit time.Duration) ([]time.Duration, int64) {
	ctx, cancel := context.WithTimeout(context.Background(), limit+20*time.Second)
	defer cancel()
	var all []time.Duration
	var failed atomic.Int64
	var mutex sync.Mutex
	var group sync.WaitGroup
	deadline := time.Now().Add(limit)
	for range workers {
		group.Go(func() {
			var times []time.Duration
			for begin := time.Now(); begin.Before(deadline); begin = time.Now() {
				conn, err := openEcho(ctx, dial)
				if err != nil {
					failed.Add(1)
					continue
				}
				times = append(times, time.Since(begin))
				conn.Close()
			}
			mutex.Lock()
			all = append(all, times...)
			mutex.Unlock()
		})
	}
	group.Wait()
	return all, failed.Load()
}

// idle holds tunnels that have been used once, and weighs what they cost.
func idle(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	before := s.watch.settledPSS(5 * time.Second)
	tunnels, err := openIdle(dial, s.tunnels)
	if err != nil {
		return nil, err
	}
	after := s.watch.settledPSS(10 * time.Second)
	perTunnel := map[string]float64{}
	for role := range s.watch {
		perTunnel[role] = float64(after[role]-before[role]) / float64(len(tunnels))
	}
	return struct {
		Tunnels   int                `json:"tunnels"`
		PerTunnel map[string]float64 `json:"kb_per_tunnel"`
		Whole     map[string]int     `json:"pss_kb"`
	}{len(tunnels), perTunnel, after}, nil
}

func openIdle(dial dialer, n int) ([]tunnel, error) {
	const atOnce = 16
	tunnels := make([]tunnel, n)
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, atOnce)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for range atOnce {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				conn, err := openEcho(ctx, dial)
				if err != nil {
					errs <- fmt.Errorf("idle tunnel %d: %w", i+1, err)
					return
				}
				tunnels[i] = conn
			}
		})
	}
	group.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
		return tunnels, nil
	}
}
