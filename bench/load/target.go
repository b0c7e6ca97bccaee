package main

import (
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"
	"sync/atomic"
)

// A client names the service that it wants with its first byte, so that proxies which know one address only
// (rathole, frp, HAProxy) serve every case.
const (
	serviceSource = 'S' // sends without end
	serviceSink   = 'K' // reads without end
	serviceEcho   = 'E' // sends everything back
	serviceDeaf   = 'N' // never reads again
)

// bulkSize is large, so that the ends of a tunnel cost little beside the tunnel.
const bulkSize = 1 << 20

// counters is what the control socket tells: what has arrived, not what has been sent.
type counters struct {
	Sunk   int64 `json:"sunk"`   // bytes that sinks have read
	Opened int64 `json:"opened"` // connections accepted
	Open   int64 `json:"open"`   // connections open now
}

type target struct{ sunk, opened, open atomic.Int64 }

func targetCommand(arguments []string) error {
	flags := flag.NewFlagSet("target", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "where the services listen")
	control := flags.String("control", "", "Unix socket that answers each connection with the counters")
	flags.Parse(arguments)

	services, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	os.Remove(*control)
	asked, err := net.Listen("unix", *control)
	if err != nil {
		return err
	}
	t := &target{}
	go accept(asked, t.tell)
	return accept(services, t.serve)
}

func accept(listener net.Listener, serve func(net.Conn)) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			serve(conn)
		}()
	}
}

func (t *target) tell(conn net.Conn) {
	json.NewEncoder(conn).Encode(counters{t.sunk.Load(), t.opened.Load(), t.open.Load()})
}

func (t *target) serve(conn net.Conn) {
	t.opened.Add(1)
	t.open.Add(1)
	defer t.open.Add(-1)
	var service [1]byte
	if _, err := io.ReadFull(conn, service[:]); err != nil {
		return
	}
	switch service[0] {
	case serviceSource:
		source(conn)
	case serviceSink:
		t.sink(conn)
	case serviceEcho:
		echo(conn)
	case serviceDeaf:
		select {}
	}
}

// blocks of every source are the same memory; nobody writes to it.
var zeros = make([]byte, bulkSize)

func source(conn net.Conn) {
	for {
		if _, err := conn.Write(zeros); err != nil {
			return
		}
	}
}

func (t *target) sink(conn net.Conn) {
	buffer := make([]byte, bulkSize)
	for {
		n, err := conn.Read(buffer)
		t.sunk.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func echo(conn net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			if _, err := conn.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// askTarget reads the counters of a target over its control socket.
func askTarget(control string) (counters, error) {
	var told counters
	conn, err := net.Dial("unix", control)
	if err != nil {
		return told, err
	}
	defer conn.Close()
	return told, json.NewDecoder(conn).Decode(&told)
}
