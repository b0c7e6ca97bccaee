package main

import (
	"context"
	"fmt"
	"net"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

const (
	nodeName      = "client-go"
	podName       = "client-go"
	containerName = "shell"
)

// registerPod makes the API server believe in a node at that address with one pod on it. Without a controller manager
// nobody else makes the service account that a pod must have.
func registerPod(ctx context.Context, opts *options, kubelet *net.TCPAddr) error {
	config, err := opts.direct()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := registerNode(ctx, client, kubelet); err != nil {
		return fmt.Errorf("node %s: %w", nodeName, err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := client.CoreV1().ServiceAccounts(namespace).Create(ctx, account, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("service account default: %w", err)
	}
	if _, err := client.CoreV1().Pods(namespace).Create(ctx, shellPod(), metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("pod %s: %w", podName, err)
	}
	return nil
}

func registerNode(ctx context.Context, client kubernetes.Interface, kubelet *net.TCPAddr) error {
	nodes := client.CoreV1().Nodes()
	if _, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return err
	}
	node, err := nodes.Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: kubelet.IP.String()}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(kubelet.Port)
	_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

func shellPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: podName},
		Spec: corev1.PodSpec{
			NodeName:                     nodeName,
			AutomountServiceAccountToken: ptr.To(false),
			Containers:                   []corev1.Container{{Name: containerName, Image: "none"}},
		},
	}
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
