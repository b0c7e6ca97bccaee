package main

import (
	"fmt"
	"net/url"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// direct is the configuration of the kubeconfig, without a tunnel.
func (o *options) direct() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	config.QPS = -1 // the limit is for shared clusters; this one is ours
	return config, nil
}

// tunneled is the configuration of the kubeconfig with every connection made through the tunnel.
func (o *options) tunneled() (*rest.Config, error) {
	config, err := o.direct()
	if err != nil {
		return nil, err
	}
	if config.Dial, err = o.tunnel.dialer(); err != nil {
		return nil, err
	}
	if o.host != "" {
		if err := replaceHost(config, o.host); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// client returns a client with connections of its own: two clients never share a tunnel.
func (o *options) client() (*kubernetes.Clientset, error) {
	config, err := o.tunneled()
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func replaceHost(config *rest.Config, host string) error {
	server, err := url.Parse(config.Host)
	if err != nil {
		return fmt.Errorf("server of the kubeconfig: %w", err)
	}
	if config.TLSClientConfig.ServerName == "" {
		config.TLSClientConfig.ServerName = server.Hostname()
	}
	config.Host = host
	return nil
}
