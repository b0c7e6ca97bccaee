package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

const (
	defaultPod    = "client-go"
	containerName = "shell"
)

// registerPod makes the API server believe in a node at that address with one running pod on it. Without a controller
// manager nobody else makes the service account that a pod must have.
func registerPod(ctx context.Context, opts *options, kubelet *net.TCPAddr) error {
	config, err := opts.direct()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := registerNode(ctx, client, opts.kubelet.node, kubelet); err != nil {
		return fmt.Errorf("node %s: %w", opts.kubelet.node, err)
	}
	pod, err := opts.kubelet.object()
	if err != nil {
		return err
	}
	if err := prepareNamespace(ctx, client, pod.Namespace); err != nil {
		return err
	}
	if err := startPod(ctx, client, pod); err != nil {
		return fmt.Errorf("pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

func registerNode(ctx context.Context, client kubernetes.Interface, name string, kubelet *net.TCPAddr) error {
	nodes := client.CoreV1().Nodes()
	if _, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return err
	}
	node, err := nodes.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: kubelet.IP.String()}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(kubelet.Port)
	_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

func prepareNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := client.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("service account %s/default: %w", name, err)
	}
	return nil
}

func startPod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) error {
	pods := client.CoreV1().Pods(pod.Namespace)
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return err
	}
	stored, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	stored.Status.Phase = corev1.PodRunning
	_, err = pods.UpdateStatus(ctx, stored, metav1.UpdateOptions{})
	return err
}

func (o *kubeletOptions) object() (*corev1.Pod, error) {
	space, name, found := strings.Cut(o.pod, "/")
	if !found {
		return nil, fmt.Errorf("--pod: want NAMESPACE/NAME, got %q", o.pod)
	}
	podLabels, err := labels.ConvertSelectorToLabelsMap(o.labels)
	if err != nil {
		return nil, fmt.Errorf("--pod-labels: %w", err)
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: space, Name: name, Labels: podLabels},
		Spec: corev1.PodSpec{
			NodeName:                     o.node,
			AutomountServiceAccountToken: ptr.To(false),
			Containers:                   []corev1.Container{{Name: containerName, Image: "none"}},
		},
	}, nil
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
