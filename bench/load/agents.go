package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// fleet is many agents of one server, each with a connection of its own, that come back as agents do when it is lost.
type fleet struct {
	server string
	config *tls.Config
	open   func(*tls.Conn, string) (*link, error)
	count  int

	mutex     sync.Mutex
	connected int
	started   time.Time
}

// fleetEvent is printed whenever the last missing agent is there.
type fleetEvent struct {
	Connected int     `json:"connected"`
	Seconds   float64 `json:"seconds"` // since the start of the program
	Unix      float64 `json:"unix"`
}

// Delays between attempts, as the reference's agent has them.
const (
	firstDelay  = time.Second
	lastDelay   = 10 * time.Second
	delayFactor = 1.5
	delayJitter = 0.1

	connectLimit = 20 * time.Second // TCP and TLS together
)

func agentsCommand(arguments []string) error {
	f := &fleet{started: time.Now()}
	var self identity
	flags := flag.NewFlagSet("agents", flag.ExitOnError)
	flags.StringVar(&f.server, "server", "", "agent port of the server: host:port")
	flags.IntVar(&f.count, "count", 1000, "how many agents")
	native := flags.Bool("native", false, "speak cluster-proxy/1 instead of konnectivity")
	identityFlags(flags, &self)
	flags.Parse(arguments)

	protocol := "h2"
	f.open = openKonnectivity
	if *native {
		protocol, f.open = "cluster-proxy/1", openNative
	}
	var err error
	if f.config, err = self.tlsConfig(protocol); err != nil {
		return err
	}
	for i := range f.count {
		go f.keep(fmt.Sprintf("agent-%d", i))
	}
	select {}
}

// keep holds one agent's connection for ever.
func (f *fleet) keep(id string) {
	delay := firstDelay
	for {
		link, err := f.connect(id)
		if err == nil {
			delay = firstDelay
			f.changed(1)
			link.serve()
			f.changed(-1)
		}
		time.Sleep(time.Duration(float64(delay) * (1 + rand.Float64()*delayJitter)))
		if err != nil {
			delay = min(lastDelay, time.Duration(float64(delay)*delayFactor))
		}
	}
}

func (f *fleet) connect(id string) (*link, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: connectLimit}, "tcp", f.server, f.config)
	if err != nil {
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != f.config.NextProtos[0] {
		conn.Close()
		return nil, fmt.Errorf("the server does not speak %s", f.config.NextProtos[0])
	}
	opened, err := f.open(conn, id)
	if err != nil {
		conn.Close()
	}
	return opened, err
}

func (f *fleet) changed(by int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.connected += by
	if by > 0 && f.connected == f.count {
		now := time.Now()
		emit(fleetEvent{f.connected, now.Sub(f.started).Seconds(), float64(now.UnixNano()) / 1e9})
	}
}
