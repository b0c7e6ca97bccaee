package tests

import (
	"net"

	"golang.org/x/net/dns/dnsmessage"
)

// serveNoSuchName answers all names with NXDOMAIN, so that the test of failing look-ups needs no network.
// It runs until the process ends.
func serveNoSuchName(address string) error {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			if reply, err := noSuchName(query[:n]); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return nil
}

func noSuchName(query []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil {
		return nil, err
	}
	questions, err := parser.AllQuestions()
	if err != nil {
		return nil, err
	}
	header.Response, header.Authoritative, header.RCode = true, true, dnsmessage.RCodeNameError
	reply := dnsmessage.Message{Header: header, Questions: questions}
	return reply.Pack()
}
