package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	probePause = 50 * time.Millisecond // between dials, and between pings of a held tunnel
	pingLimit  = time.Minute           // a held tunnel that brings nothing for so long is dead
)

// outageResult of dials that go on while something happens to the tunnel.
type outageResult struct {
	Dials   int     `json:"dials"`
	Failed  int     `json:"failed"`
	Gap     float64 `json:"gap_s"` // the longest time in which no dial began that went well
	Held    int     `json:"held"`  // tunnels opened at the start and used all the time
	Cut     int64   `json:"cut"`   // those of them that ended
	Stalled float64 `json:"stalled_s"`
}

type probe struct {
	began time.Time
	well  bool
}

// outage dials anew every 50 ms, each time with one ping, and keeps s.tunnels busy. Says "probing" on stderr when it begins.
func outage(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	h := holder{until: time.Now().Add(s.duration)}
	for range s.tunnels {
		conn, err := openEcho(context.Background(), dial)
		if err != nil {
			return nil, err
		}
		h.group.Go(func() { h.hold(conn) })
	}
	fmt.Fprintln(os.Stderr, "probing")
	probes := probeUntil(h.until, dial)
	h.group.Wait()
	result := judge(probes)
	result.Held, result.Cut, result.Stalled = s.tunnels, h.cut.Load(), time.Duration(h.longest.Load()).Seconds()
	return result, nil
}

func probeUntil(end time.Time, dial dialer) []probe {
	var lock sync.Mutex
	var probes []probe
	var group sync.WaitGroup
	for ticks := time.NewTicker(probePause); time.Now().Before(end); <-ticks.C {
		began := time.Now()
		group.Go(func() {
			well := dialsOnce(dial)
			lock.Lock()
			defer lock.Unlock()
			probes = append(probes, probe{began, well})
		})
	}
	group.Wait()
	return probes
}

func dialsOnce(dial dialer) bool {
	ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
	defer cancel()
	conn, err := openEcho(ctx, dial)
	if err != nil {
		return false
	}
	over := time.AfterFunc(dialLimit, func() { conn.Close() })
	defer over.Stop()
	defer conn.Close()
	return ping(conn, make([]byte, smallMessage)) == nil
}

func judge(probes []probe) outageResult {
	slices.SortFunc(probes, func(a, b probe) int { return a.began.Compare(b.began) })
	result := outageResult{Dials: len(probes)}
	last := probes[0].began
	for _, each := range probes {
		if each.well {
			result.Gap = max(result.Gap, each.began.Sub(last).Seconds())
			last = each.began
		} else {
			result.Failed++
		}
	}
	result.Gap = max(result.Gap, probes[len(probes)-1].began.Sub(last).Seconds())
	return result
}

type holder struct {
	until   time.Time
	group   sync.WaitGroup
	cut     atomic.Int64
	longest atomic.Int64 // time of one ping, in ns
}

func (h *holder) hold(conn tunnel) {
	defer conn.Close()
	message := make([]byte, smallMessage)
	for time.Now().Before(h.until) {
		began := time.Now()
		over := time.AfterFunc(pingLimit, func() { conn.Close() })
		err := ping(conn, message)
		over.Stop()
		if err != nil {
			h.cut.Add(1)
			return
		}
		if took := int64(time.Since(began)); took > h.longest.Load() {
			h.longest.Store(took)
		}
		time.Sleep(probePause)
	}
}
