// Command kube-apiserver is the real Kubernetes API server, built from its published modules.
// Upstream cannot be installed with `go install` (its go.mod has replaces), hence this wrapper module.
package main

import (
	"os"
	_ "time/tzdata"

	_ "aaa/setversion" // must be initialised before k8s.io/*: see that package

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
