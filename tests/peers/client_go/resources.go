package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

const namespace = metav1.NamespaceDefault

func listNamespaces(ctx context.Context, opts *options) error {
	ctx, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	client, err := opts.client()
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, item := range list.Items {
		fmt.Println("namespace", item.Name)
		found[item.Name] = true
	}
	if !found[namespace] || !found[metav1.NamespaceSystem] {
		return errors.New("the list lacks a namespace that every cluster has")
	}
	fmt.Printf("ok namespaces: %d\n", len(list.Items))
	return nil
}

// watchConfigMap watches on one tunnel what another one writes.
func watchConfigMap(ctx context.Context, opts *options) error {
	ctx, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	observer, err := opts.client()
	if err != nil {
		return err
	}
	writer, err := opts.client()
	if err != nil {
		return err
	}
	const run = "test=watch"
	events, err := observer.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{LabelSelector: run})
	if err != nil {
		return err
	}
	defer events.Stop()
	return writeAndObserve(ctx, writer.CoreV1().ConfigMaps(namespace), events)
}

func writeAndObserve(ctx context.Context, maps typedcorev1.ConfigMapInterface, events watch.Interface) error {
	object, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "watch-", Labels: map[string]string{"test": "watch"}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := expectEvent(ctx, events, watch.Added, object.Name); err != nil {
		return err
	}
	object.Data = map[string]string{"changed": "yes"}
	if object, err = maps.Update(ctx, object, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err := expectEvent(ctx, events, watch.Modified, object.Name); err != nil {
		return err
	}
	if err := maps.Delete(ctx, object.Name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := expectEvent(ctx, events, watch.Deleted, object.Name); err != nil {
		return err
	}
	fmt.Println("ok watch: added, modified, deleted")
	return nil
}

func expectEvent(ctx context.Context, events watch.Interface, want watch.EventType, name string) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("no %s event for ConfigMap %s: %w", want, name, ctx.Err())
	case event, open := <-events.ResultChan():
		if !open {
			return fmt.Errorf("the watch ended before the %s event for ConfigMap %s", want, name)
		}
		object, isMap := event.Object.(*corev1.ConfigMap)
		if !isMap || event.Type != want || object.Name != name {
			return fmt.Errorf("got event %s of %v, want %s of ConfigMap %s", event.Type, event.Object, want, name)
		}
		return nil
	}
}

// largeResponse compares every byte: random data, so that a piece lost, repeated or swapped cannot go unseen.
func largeResponse(ctx context.Context, opts *options) error {
	ctx, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	client, err := opts.client()
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	stored, err := storeLarge(ctx, maps, opts.largeBytes)
	if err != nil {
		return err
	}
	defer maps.DeleteCollection(context.WithoutCancel(ctx), metav1.DeleteOptions{}, largeSelector)
	list, err := maps.List(ctx, largeSelector)
	if err != nil {
		return err
	}
	if err := compareLarge(list.Items, stored); err != nil {
		return err
	}
	fmt.Printf("ok large: %d ConfigMaps, %d bytes\n", len(list.Items), opts.largeBytes)
	return nil
}

var largeSelector = metav1.ListOptions{LabelSelector: "test=large"}

// storeLarge stores size bytes as ConfigMaps below etcd's limit for one request.
func storeLarge(ctx context.Context, maps typedcorev1.ConfigMapInterface, size int) (map[string][]byte, error) {
	const piece = 512 << 10
	stored := map[string][]byte{}
	for left := size; left > 0; left -= piece {
		data := make([]byte, min(left, piece))
		rand.Read(data)
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "large-", Labels: map[string]string{"test": "large"}}, BinaryData: map[string][]byte{"data": data}}
		created, err := maps.Create(ctx, object, metav1.CreateOptions{})
		if err != nil {
			return nil, err
		}
		stored[created.Name] = data
	}
	return stored, nil
}

func compareLarge(items []corev1.ConfigMap, stored map[string][]byte) error {
	if len(items) != len(stored) {
		return fmt.Errorf("got %d ConfigMaps, stored %d", len(items), len(stored))
	}
	for _, item := range items {
		if !bytes.Equal(item.BinaryData["data"], stored[item.Name]) {
			return fmt.Errorf("ConfigMap %s came back changed", item.Name)
		}
	}
	return nil
}
