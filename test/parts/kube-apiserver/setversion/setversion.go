// Package setversion lets KUBE_GIT_VERSION choose the version that the API server reports and emulates,
// so that one binary serves as EKS, GKE and AKS. Go initialises ready packages in the order of their import
// paths: the module is called "aaa" so that this one comes before k8s.io/component-base reads its version.
package setversion

import (
	"os"
	"strings"
	_ "unsafe"

	"k8s.io/component-base/version"
)

//go:linkname gitVersion k8s.io/component-base/version.gitVersion
var gitVersion string

//go:linkname gitMajor k8s.io/component-base/version.gitMajor
var gitMajor string

//go:linkname gitMinor k8s.io/component-base/version.gitMinor
var gitMinor string

func init() {
	v := os.Getenv("KUBE_GIT_VERSION")
	if v == "" {
		return
	}
	p := strings.SplitN(strings.TrimPrefix(v, "v"), ".", 3)
	gitVersion, gitMajor, gitMinor = v, p[0], p[1]
	if err := version.SetDynamicVersion(v); err != nil {
		panic(err)
	}
}
