package main

import (
	"sync/atomic"
	"time"
)

// flow is one tunnel that is kept busy, with what it has moved so far.
type flow struct {
	conn  tunnel
	moved atomic.Int64
	ended atomic.Bool
}

// bulkResult: for uploads the bytes are those that the target has read.
type bulkResult struct {
	Seconds float64 `json:"seconds"`
	Bytes   int64   `json:"bytes"`
	Rate    float64 `json:"mb_per_s"` // 10^6 bytes
	Slowest float64 `json:"slowest_mb_per_s"`
	Fastest float64 `json:"fastest_mb_per_s"`
	Ended   int     `json:"ended"` // tunnels that broke
	usage
}

func download(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	flows, err := startFlows(dial, serviceSource, s.tunnels, read)
	if err != nil {
		return nil, err
	}
	return measure(s, flows, func() int64 { return total(flows) })
}

func upload(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	block := zeros[:s.route.writeSize()]
	flows, err := startFlows(dial, serviceSink, s.tunnels, func(f *flow) { write(f, block) })
	if err != nil {
		return nil, err
	}
	return measure(s, flows, func() int64 {
		told, _ := askTarget(s.control)
		return told.Sunk
	})
}

// startFlows dials all tunnels before the first is used: dialing is another case's matter.
func startFlows(dial dialer, service byte, n int, move func(*flow)) ([]*flow, error) {
	tunnels, err := dialAll(dial, n)
	if err != nil {
		return nil, err
	}
	flows := make([]*flow, n)
	for i, conn := range tunnels {
		flows[i] = &flow{conn: conn}
		go func() {
			if _, err := conn.Write([]byte{service}); err != nil {
				flows[i].ended.Store(true)
				return
			}
			move(flows[i])
		}()
	}
	return flows, nil
}

func read(f *flow) {
	buffer := make([]byte, bulkSize)
	for {
		n, err := f.conn.Read(buffer)
		f.moved.Add(int64(n))
		if err != nil {
			f.ended.Store(true)
			return
		}
	}
}

func write(f *flow, block []byte) {
	for {
		n, err := f.conn.Write(block)
		f.moved.Add(int64(n))
		if err != nil {
			f.ended.Store(true)
			return
		}
	}
}

func total(flows []*flow) (sum int64) {
	for _, f := range flows {
		sum += f.moved.Load()
	}
	return sum
}

// measure lets the flows warm up and then looks at one interval.
func measure(s settings, flows []*flow, count func() int64) (any, error) {
	time.Sleep(s.warmup)
	end, each, bytes, start := s.watch.begin(), snapshot(flows), count(), time.Now()
	time.Sleep(s.duration)
	bytes, elapsed := count()-bytes, time.Since(start).Seconds()
	result := bulkResult{Seconds: elapsed, Bytes: bytes, Rate: megabytes(bytes, elapsed), usage: end()}
	result.spread(flows, each)
	return result, nil
}

func (r *bulkResult) spread(flows []*flow, before []int64) {
	for i, f := range flows {
		rate := megabytes(f.moved.Load()-before[i], r.Seconds)
		if i == 0 || rate < r.Slowest {
			r.Slowest = rate
		}
		r.Fastest = max(r.Fastest, rate)
		if f.ended.Load() {
			r.Ended++
		}
	}
}

func snapshot(flows []*flow) []int64 {
	moved := make([]int64, len(flows))
	for i, f := range flows {
		moved[i] = f.moved.Load()
	}
	return moved
}

func megabytes(bytes int64, seconds float64) float64 { return float64(bytes) / 1e6 / seconds }
