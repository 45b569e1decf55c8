package main

import (
	_ "istio.io/istio/pilot/test/xds"
	_ "istio.io/istio/pilot/pkg/config/kube/crd"
	_ "istio.io/istio/pkg/config/crd"
	_ "istio.io/istio/pkg/test/env"
)

func main() {}
