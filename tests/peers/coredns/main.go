// Program coredns is CoreDNS with the plugins that the DNS of a test cluster needs and no others: their clients of clouds
// would make most of the program.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/template"
)

func init() {
	// In the order in which a query passes through them.
	dnsserver.Directives = []string{"reload", "health", "ready", "errors", "cache", "template", "hosts", "kubernetes"}
}

func main() { coremain.Run() }
