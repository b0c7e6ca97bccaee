// Command load is both far ends of a measured tunnel: the services behind it and the clients in front of it.
//
//	load target  --listen ADDRESS --control SOCKET           services behind the tunnel, until killed
//	load wait    --via WAY --front PLACE --to ADDRESS         until one byte comes back through the tunnel
//	load run     --case NAME --via WAY ... --seconds S        measures; prints one line of JSON
//	load agents  --server ADDRESS --count N ...               many agents in one process; one line of JSON per event
//
// Progress and errors go to standard error; standard output is for results alone.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

var commands = map[string]func([]string) error{
	"target": targetCommand,
	"wait":   waitCommand,
	"run":    runCommand,
	"agents": agentsCommand,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: load target|wait|run|agents --help")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "load %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// emit prints one result.
func emit(result any) error { return json.NewEncoder(os.Stdout).Encode(result) }

// identityFlags are the certificates of a client or an agent.
func identityFlags(flags *flag.FlagSet, identity *identity) {
	flags.StringVar(&identity.ca, "ca", "", "file of the authority that the other side must come from")
	flags.StringVar(&identity.cert, "cert", "", "our certificate")
	flags.StringVar(&identity.key, "key", "", "its key")
}
