package main

import (
	"context"
	"sync/atomic"
	"time"
)

// isolationResult compares the same innocent tunnels before and after bad neighbours arrive.
type isolationResult struct {
	Without phase `json:"without"`
	With    phase `json:"with"`
}

type phase struct {
	Rate      float64 `json:"mb_per_s"` // of all innocent tunnels
	Slowest   float64 `json:"slowest_mb_per_s"`
	Ended     int     `json:"ended"`
	Failed    int     `json:"failed_dials"`
	latencies         // of dials, a byte there and back included
	usage
}

const (
	dialPause = 20 * time.Millisecond
	dialLimit = 3 * time.Second // a dial that takes longer has failed
	slowRead  = 4 << 10         // bytes per slowPause: 40 KB/s
	slowPause = 100 * time.Millisecond
)

// isolation measures s.tunnels downloads and a dial now and then, alone and beside bad neighbours.
func isolation(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	flows, err := startFlows(dial, serviceSource, s.tunnels, read)
	if err != nil {
		return nil, err
	}
	time.Sleep(s.warmup)
	var result isolationResult
	result.Without = observe(s, dial, flows)
	if err := invite(s, dial); err != nil {
		return nil, err
	}
	time.Sleep(s.warmup) // until the buffers between are full
	result.With = observe(s, dial, flows)
	return result, nil
}

// invite opens the bad neighbours; they stay until this process ends.
func invite(s settings, dial dialer) error {
	if _, err := startFlows(dial, serviceSource, s.stalled, func(*flow) {}); err != nil {
		return err
	}
	if _, err := startFlows(dial, serviceSource, s.slow, readSlowly); err != nil {
		return err
	}
	block := zeros[:s.route.writeSize()]
	_, err := startFlows(dial, serviceDeaf, s.deaf, func(f *flow) { write(f, block) })
	return err
}

func readSlowly(f *flow) {
	buffer := make([]byte, slowRead)
	for {
		if _, err := f.conn.Read(buffer); err != nil {
			return
		}
		time.Sleep(slowPause)
	}
}

func observe(s settings, dial dialer, flows []*flow) phase {
	var done atomic.Bool
	dials := make(chan []time.Duration)
	failures := make(chan int)
	go func() {
		times, failed := dialNowAndThen(dial, &done)
		dials <- times
		failures <- failed
	}()
	end, before, start := s.watch.begin(), snapshot(flows), time.Now()
	time.Sleep(s.duration)
	bulk := bulkResult{Seconds: time.Since(start).Seconds(), usage: end()}
	bulk.spread(flows, before)
	moved := total(flows)
	for _, bytes := range before {
		moved -= bytes
	}
	done.Store(true)
	times, failed := <-dials, <-failures
	return phase{megabytes(moved, bulk.Seconds), bulk.Slowest, bulk.Ended, failed, summary(times), bulk.usage}
}

func dialNowAndThen(dial dialer, done *atomic.Bool) (times []time.Duration, failed int) {
	for !done.Load() {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
		conn, err := openEcho(ctx, dial)
		cancel()
		if err != nil {
			failed++
		} else {
			times = append(times, time.Since(begin))
			go conn.Close()
		}
		time.Sleep(dialPause)
	}
	return times, failed
}
