// Command delay relays packets between a TUN device in each of two network namespaces, as a wire would that has a
// length, a rate, a queue and a loss. It prints "ready" and then serves until it is killed.
//
//	delay --a NETNS --b NETNS --device wan --one-way 50ms --rate 125e6 --loss 0.01
//
// The devices exist before (`ip tuntap add`); their addresses and their state are the caller's.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	a := flag.String("a", "", "network namespace at one end")
	b := flag.String("b", "", "network namespace at the other end")
	device := flag.String("device", "wan", "name of the TUN device in both")
	var w wire
	flag.DurationVar(&w.oneWay, "one-way", 0, "how long a packet is under way")
	flag.Float64Var(&w.rate, "rate", 125e6, "bytes a second, each way")
	flag.Float64Var(&w.loss, "loss", 0, "share of packets that are lost, each way")
	flag.DurationVar(&w.queue, "queue", 100*time.Millisecond, "what may wait for the wire before packets are dropped")
	flag.Parse()

	ends := [2]int{}
	for i, namespace := range []string{*a, *b} {
		descriptor, err := openTUN(namespace, *device)
		if err != nil {
			fmt.Fprintf(os.Stderr, "delay: device %s in namespace %s: %v\n", *device, namespace, err)
			os.Exit(1)
		}
		ends[i] = descriptor
	}
	fmt.Println("ready")
	failed := make(chan error)
	go func() { failed <- w.carry(ends[0], ends[1]) }()
	go func() { failed <- w.carry(ends[1], ends[0]) }()
	fmt.Fprintf(os.Stderr, "delay: %v\n", <-failed)
	os.Exit(1)
}
