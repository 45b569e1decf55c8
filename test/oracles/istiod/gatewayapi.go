package main

import (
	"istio.io/istio/pkg/config/schema/gvr"
	kubelib "istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient/clienttest"
	"istio.io/istio/pkg/test"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metadatafake "k8s.io/client-go/metadata/fake"
	k8stesting "k8s.io/client-go/testing"
)

// bundle is the release of Gateway API whose CRDs the API server pretends to have: istiod passes over kinds of older ones.
const bundle = "v1.6.0"

// withGatewayAPI gives every CRD of the fake API server the annotation that istiod asks for, and adds those that it would not have.
func withGatewayAPI(t test.Failer) func(kubelib.Client) {
	return func(client kubelib.Client) {
		fake, ok := client.Metadata().(*metadatafake.FakeMetadataClient)
		if !ok {
			t.Fatal("the metadata client is no fake")
		}
		fake.PrependReactor("create", "customresourcedefinitions", func(action k8stesting.Action) (bool, runtime.Object, error) {
			if create, ok := action.(k8stesting.CreateAction); ok {
				if object, ok := create.GetObject().(*metav1.PartialObjectMetadata); ok {
					object.Annotations = map[string]string{"gateway.networking.k8s.io/bundle-version": bundle}
				}
			}
			return false, nil, nil
		})
		clienttest.MakeCRD(t, client, gvr.ListenerSet)
		clienttest.MakeCRD(t, client, gvr.BackendTLSPolicy)
	}
}
