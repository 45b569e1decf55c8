package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	pkgcrd "istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/schema/collections"
	kubelib "istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/test/env"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubejson "k8s.io/apimachinery/pkg/util/json"
)

// Objects of a world in the forms that istiod takes them in.
type Objects struct {
	configs []config.Config
	kube    []runtime.Object
	mesh    *meshconfig.MeshConfig
}

const domain = "cluster.local"

// CRD defaults are part of what istiod sees (a redirect of an HTTPRoute without a code is 302, not 301), and the fake API server
// applies none.
var validator = sync.OnceValues(func() (*pkgcrd.Validator, error) {
	return pkgcrd.NewValidatorFromFilesWithOptions([]string{
		filepath.Join(env.IstioSrc, "manifests/charts/base/files/crd-all.gen.yaml"),
		filepath.Join(env.IstioSrc, "tests/integration/pilot/testdata/gateway-api-crd.yaml"),
	}, pkgcrd.WithoutCRDValidation())
})

func readObjects(raw []json.RawMessage) (Objects, []string, error) {
	objects := Objects{mesh: mesh.DefaultMeshConfig()}
	var refused []string
	for _, text := range raw {
		// Numbers must be int64 here, which encoding/json does not give.
		content := map[string]any{}
		if err := kubejson.Unmarshal(text, &content); err != nil {
			return objects, nil, err
		}
		object := &unstructured.Unstructured{Object: content}
		problem, err := objects.add(object)
		if err != nil {
			return objects, nil, fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
		}
		if problem != nil {
			refused = append(refused, fmt.Sprintf("%s %s/%s: %s", object.GetKind(), object.GetNamespace(), object.GetName(), problem))
		}
	}
	return objects, refused, nil
}

// add sorts one object in; `problem` is why an API server would not have taken it.
func (o *Objects) add(object *unstructured.Unstructured) (problem error, err error) {
	kind := object.GroupVersionKind()
	istio, isIstio := collections.Istio.FindByGroupVersionAliasesKind(config.FromKubernetesGVK(kind))
	if isIstio || kind.Group == "gateway.networking.k8s.io" {
		checks, err := validator()
		if err != nil {
			return nil, err
		}
		problem = checks.ValidateCustomResource(aliased(object))
	}
	text, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if !isIstio {
		return problem, o.addKube(text)
	}
	var written crd.IstioKind
	if err := json.Unmarshal(text, &written); err != nil {
		return nil, err
	}
	converted, err := crd.ConvertObject(istio, &written, domain)
	if err != nil {
		return nil, err
	}
	if problem == nil {
		_, problem = istio.ValidateConfig(*converted)
	}
	o.configs = append(o.configs, *converted)
	return problem, nil
}

func (o *Objects) addKube(text []byte) error {
	typed, _, err := kubelib.IstioCodec.UniversalDeserializer().Decode(text, nil, nil)
	if err != nil {
		return err
	}
	if settings, ok := typed.(*corev1.ConfigMap); ok && settings.Name == "istio" && settings.Namespace == "istio-system" {
		if o.mesh, err = mesh.ApplyMeshConfigDefaults(settings.Data["mesh"]); err != nil {
			return err
		}
	}
	o.kube = append(o.kube, typed)
	return nil
}

// aliased is the object under a version that the CRD files know; defaults are written into the shared content.
func aliased(object *unstructured.Unstructured) runtime.Object {
	kind := object.GroupVersionKind()
	if kind.Group == "networking.istio.io" && kind.Version != "v1" && kind.Kind != "EnvoyFilter" {
		copied := &unstructured.Unstructured{Object: map[string]any{}}
		for key, value := range object.Object {
			copied.Object[key] = value
		}
		copied.SetGroupVersionKind(schema.GroupVersionKind{Group: kind.Group, Version: "v1", Kind: kind.Kind})
		return copied
	}
	return object
}
