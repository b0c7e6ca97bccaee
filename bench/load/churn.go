package main

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// churnResult of random use: what was opened, how it ended.
type churnResult struct {
	Opened  int64 `json:"opened"`
	Refused int64 `json:"refused"`
	Broken  int64 `json:"broken"` // ended by the other side
	Reset   int64 `json:"reset"`  // ended by us, without a goodbye
}

// churn opens tunnels, uses them for a random while in a random way and ends them in a random way.
func churn(s settings) (any, error) {
	dial, err := s.route.dialer()
	if err != nil {
		return nil, err
	}
	var c churner
	var group sync.WaitGroup
	deadline := time.Now().Add(s.duration)
	for range s.tunnels {
		group.Go(func() {
			for time.Now().Before(deadline) {
				c.once(dial, s.route.writeSize())
			}
		})
	}
	group.Wait()
	return churnResult{c.opened.Load(), c.refused.Load(), c.broken.Load(), c.reset.Load()}, nil
}

type churner struct{ opened, refused, broken, reset atomic.Int64 }

func (c *churner) once(dial dialer, writeSize int) {
	ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
	defer cancel()
	services := []byte{serviceSource, serviceSink, serviceEcho, serviceDeaf}
	service := services[rand.IntN(len(services))]
	conn, err := openService(ctx, dial, service)
	if err != nil {
		c.refused.Add(1)
		time.Sleep(dialPause)
		return
	}
	c.opened.Add(1)
	over := time.AfterFunc(time.Duration(rand.ExpFloat64()*float64(200*time.Millisecond)), func() { c.end(conn) })
	c.use(conn, service, zeros[:writeSize])
	if over.Stop() {
		c.broken.Add(1)
		conn.Close()
	}
}

// use returns when the tunnel has ended.
func (c *churner) use(conn tunnel, service byte, block []byte) {
	f := &flow{conn: conn}
	switch service {
	case serviceSource:
		read(f)
	case serviceSink, serviceDeaf:
		write(f, block)
	case serviceEcho:
		for ping(conn, make([]byte, smallMessage)) == nil {
		}
	}
}

func (c *churner) end(conn tunnel) {
	if tcp, ok := conn.(*net.TCPConn); ok && rand.IntN(2) == 0 {
		tcp.SetLinger(0)
		c.reset.Add(1)
	}
	conn.Close()
}
