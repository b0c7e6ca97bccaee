{{- define "cluster-proxy.tag" -}}
{{ .Values.tag | default (printf "v%s" .Chart.Version) }}
{{- end -}}

{{- define "cluster-proxy.image" -}}
{{ .Values.registry }}/{{ .Values.image }}:{{ include "cluster-proxy.tag" . }}
{{- end -}}

{{- define "cluster-proxy.serverImage" -}}
{{ .Values.proxyServerImage | default (printf "%s/%s" .Values.registry .Values.image) }}:{{ include "cluster-proxy.tag" . }}
{{- end -}}

{{- define "cluster-proxy.agentImage" -}}
{{ .Values.proxyAgentImage | default (printf "%s/%s" .Values.registry .Values.image) }}:{{ include "cluster-proxy.tag" . }}
{{- end -}}

{{- define "cluster-proxy.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* Of both proxy ends and the parts of the chart; the reference's, and immutable. */}}
{{- define "cluster-proxy.managerSelector" -}}
open-cluster-management.io/addon: cluster-proxy
component: cluster-proxy-manager
{{- end -}}

{{- define "cluster-proxy.userSelector" -}}
open-cluster-management.io/addon: cluster-proxy
component: cluster-proxy-addon-user
{{- end -}}

{{- define "cluster-proxy.serverSelector" -}}
proxy.open-cluster-management.io/component-name: proxy-server
{{- end -}}

{{- define "cluster-proxy.serverReplicas" -}}
{{ kindIs "invalid" .Values.proxyServer.replicas | ternary .Values.replicas .Values.proxyServer.replicas }}
{{- end -}}

{{- define "cluster-proxy.agentReplicas" -}}
{{ kindIs "invalid" .Values.proxyAgent.replicas | ternary .Values.replicas .Values.proxyAgent.replicas }}
{{- end -}}

{{/* The word of the ManagedProxyConfiguration for how agents come to the hub. */}}
{{- define "cluster-proxy.entrypoint" -}}
{{- if .Values.proxyServer.entrypointAddress -}}
Hostname
{{- else if .Values.proxyServer.entrypointLoadBalancer -}}
LoadBalancerService
{{- else -}}
PortForward
{{- end -}}
{{- end -}}

{{/* The version of OCM's add-on API to write; hubs before OCM 1.2 have the older one only. */}}
{{- define "cluster-proxy.addonApiVersion" -}}
{{- $group := "addon.open-cluster-management.io" -}}
{{- $has_new := .Capabilities.APIVersions.Has (printf "%s/v1beta1" $group) -}}
{{- $has_old := .Capabilities.APIVersions.Has (printf "%s/v1alpha1" $group) -}}
{{- if and $has_old (not $has_new) -}}
{{ $group }}/v1alpha1
{{- else -}}
{{ $group }}/v1beta1
{{- end -}}
{{- end -}}

{{/* Call with (list $ "selector template" "component"): everything about a pod that is not its containers. */}}
{{- define "cluster-proxy.pod" -}}
{{- $root := index . 0 -}}
{{- $selector := include (index . 1) $root -}}
# A part may take 30 s to end after SIGTERM.
terminationGracePeriodSeconds: 40
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
{{- if $root.Values.affinity }}
{{- toYaml $root.Values.affinity | nindent 2 }}
{{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{- $selector | nindent 14 }}
{{- end }}
topologySpreadConstraints:
{{- if $root.Values.topologySpreadConstraints }}
{{- toYaml $root.Values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $selector | nindent 8 }}
{{- end }}
{{- end -}}

{{- define "cluster-proxy.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop:
    - ALL
privileged: false
runAsNonRoot: true
readOnlyRootFilesystem: true
{{- end -}}

{{- define "cluster-proxy.podNamespace" -}}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- end -}}
