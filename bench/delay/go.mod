// A long, narrow, lossy wire between two network namespaces, for kernels without netem.
module cluster-proxy/bench/delay

go 1.26.2

require golang.org/x/sys v0.45.0
