#include "portforward/forwarder_metrics.h"

namespace portforward {

ForwarderMetrics::ForwarderMetrics(metrics::Registry& registry)
    : tunnels(registry.gauge("cluster_proxy_port_forward_tunnels",
                             "Tunnels that are open through the hub's API server")),
      connections(registry.gauge("cluster_proxy_port_forward_connections",
                                 "Connections to proxy servers' pods, which tunnels share")),
      opened(registry.counter("cluster_proxy_port_forward_tunnels_opened_total",
                              "Tunnels that were opened")),
      failed(registry.counter("cluster_proxy_port_forward_tunnels_failed_total",
                              "Tunnels that could not be opened")),
      broken(registry.counter("cluster_proxy_port_forward_tunnels_broken_total",
                              "Tunnels that did not end in order")),
      stalled(registry.counter("cluster_proxy_port_forward_tunnels_stalled_total",
                               "Tunnels that were reset since their reader took nothing while "
                               "others waited")),
      bytes_up(registry.counter("cluster_proxy_port_forward_sent_bytes_total",
                                "Bytes to proxy servers")),
      bytes_down(registry.counter("cluster_proxy_port_forward_received_bytes_total",
                                  "Bytes from proxy servers")) {}

}  // namespace portforward
