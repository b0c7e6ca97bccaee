#pragma once

#include <cstdint>
#include <string_view>

/// Names that other programs, objects or earlier versions know. None may change: selectors are
/// immutable, and identities decide whether every cluster has to enrol again.
namespace addon {

/// Of the ManagedClusterAddOn, the ClusterManagementAddOn, the Lease, and the only
/// ManagedProxyConfiguration that agents are made from.
inline constexpr std::string_view kAddonName = "cluster-proxy";
inline constexpr std::string_view kConfigurationName = "cluster-proxy";

// Groups and versions.
inline constexpr std::string_view kProxyGroup = "proxy.open-cluster-management.io";
inline constexpr std::string_view kProxyApiVersion = "proxy.open-cluster-management.io/v1alpha1";
inline constexpr std::string_view kConfigurationKind = "ManagedProxyConfiguration";
inline constexpr std::string_view kConfigurationResource = "managedproxyconfigurations";
inline constexpr std::string_view kAddonGroup = "addon.open-cluster-management.io";
inline constexpr std::string_view kAddonApiVersion = "addon.open-cluster-management.io/v1beta1";
inline constexpr std::string_view kAddonKind = "ManagedClusterAddOn";
inline constexpr std::string_view kManagementAddonKind = "ClusterManagementAddOn";
inline constexpr std::string_view kDeploymentConfigResource = "addondeploymentconfigs";
inline constexpr std::string_view kWorkApiVersion = "work.open-cluster-management.io/v1";
inline constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
inline constexpr std::string_view kRbacApiVersion = "rbac.authorization.k8s.io/v1";

// Identities.
inline constexpr std::string_view kSignerCommonName = "open-cluster-management:cluster-proxy";
inline constexpr std::string_view kAgentGroup = "open-cluster-management:cluster-proxy";
inline constexpr std::string_view kAddonAgentUser =
    "open-cluster-management:cluster-proxy:addon-agent";
inline constexpr std::string_view kProxyAgentUser =
    "open-cluster-management:cluster-proxy:proxy-agent";
inline constexpr std::string_view kCustomSigner = "open-cluster-management.io/proxy-agent-signer";
inline constexpr std::string_view kKubeClientSigner = "kubernetes.io/kube-apiserver-client";

// Labels and annotations.
inline constexpr std::string_view kComponentLabel =
    "proxy.open-cluster-management.io/component-name";
inline constexpr std::string_view kProxyServerComponent = "proxy-server";
inline constexpr std::string_view kProxyAgentComponent = "proxy-agent";
inline constexpr std::string_view kAddonLabel = "open-cluster-management.io/addon";
inline constexpr std::string_view kAddonNameLabel = "open-cluster-management.io/addon-name";
inline constexpr std::string_view kClusterNameLabel = "open-cluster-management.io/cluster-name";
inline constexpr std::string_view kGenerationAnnotation =
    "proxy.open-cluster-management.io/configuration-generation";
inline constexpr std::string_view kTlsHashAnnotation =
    "proxy.open-cluster-management.io/tls-config-hash";
inline constexpr std::string_view kRenderedHashAnnotation =
    "proxy.open-cluster-management.io/rendered-hash";
inline constexpr std::string_view kConfigSpecHashAnnotation =
    "open-cluster-management.io/config-spec-hash";
inline constexpr std::string_view kDeletionOrphanAnnotation =
    "addon.open-cluster-management.io/deletion-orphan";
inline constexpr std::string_view kInstallNamespaceAnnotation =
    "addon.open-cluster-management.io/v1alpha1-install-namespace";
inline constexpr std::string_view kHostingClusterAnnotation =
    "addon.open-cluster-management.io/hosting-cluster-name";
inline constexpr std::string_view kImageRegistriesAnnotation =
    "open-cluster-management.io/image-registries";
inline constexpr std::string_view kNodeSelectorAnnotation = "open-cluster-management/nodeSelector";
inline constexpr std::string_view kLocalClusterLabel = "local-cluster";

// Objects.
inline constexpr std::string_view kDefaultAgentNamespace = "open-cluster-management-cluster-proxy";
inline constexpr std::string_view kFrameworkAgentNamespace = "open-cluster-management-agent-addon";
inline constexpr std::string_view kServiceAccount = "cluster-proxy";
inline constexpr std::string_view kSignerSecret = "cluster-proxy-signer";
inline constexpr std::string_view kProxyServerCaSecret = "proxy-server-ca";
inline constexpr std::string_view kUserServer = "cluster-proxy-addon-user";
inline constexpr std::string_view kUserServingSecret = "cluster-proxy-user-serving-cert";
inline constexpr std::string_view kServiceProxySecret = "cluster-proxy-service-proxy-server-cert";
inline constexpr std::string_view kPortForwardRole = "cluster-proxy-addon-agent:portforward";
inline constexpr std::string_view kHubAgentRole = "cluster-proxy-addon-agent";
inline constexpr std::string_view kTokenReviewRole = "cluster-proxy-addon-agent-tokenreview";
inline constexpr std::string_view kAgentDeployment = "cluster-proxy-proxy-agent";
inline constexpr std::string_view kAgentCertificateSecret =
    "cluster-proxy-open-cluster-management.io-proxy-agent-signer-client-cert";
inline constexpr std::string_view kTlsProfileConfigMap = "ocm-tls-profile";
inline constexpr std::string_view kExposedServicesConfigMap = "cluster-proxy-exposed-services";

// Ports.
inline constexpr std::int64_t kClientPort = 8090;
inline constexpr std::int64_t kAgentPort = 8091;
inline constexpr std::int64_t kHealthPort = 8092;  // of proxy-server
inline constexpr std::int64_t kAgentHealthPort = 8093;
inline constexpr std::int64_t kServiceProxyPort = 7443;
inline constexpr std::int64_t kUserServerPort = 9092;

}  // namespace addon
