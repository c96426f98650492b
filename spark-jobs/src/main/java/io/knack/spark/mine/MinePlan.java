package io.knack.spark.mine;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import org.jspecify.annotations.Nullable;

/** What mining does; see {@code config/mine.yaml}. */
public record MinePlan(
    @Default("5")
        @Range(min = 1)
        @Doc("a cluster seen from fewer subjects is not offered for learning")
        int minSubjects,
    @Default("15")
        @Range(min = 1)
        @Doc("a cluster of fewer interactions is not offered for learning")
        int minInteractions,
    @Default("false") @Doc("count each interaction without a subject as a person of its own")
        boolean assumeDistinctSubjects,
    @Default("false") @Doc("let a cluster mix tenants") boolean shareAcrossTenants,
    @Default("false")
        @Doc("no search for groups: everything is one cluster a tenant, and that its one family")
        boolean allAsOneCluster,
    @Doc(
            "directory of a sentence encoder (BERT family); its vectors take the place of hashed features")
        @Nullable String encoder,
    @Default("10") @Range(min = 3, max = 50) @Doc("nearest neighbours of each node in the graph")
        int neighbours,
    @Default("3") @Range(min = 0.1, max = 1000) @Doc("families: higher means more and smaller ones")
        double familyResolution,
    @Default("50")
        @Range(min = 0.1, max = 10000)
        @Doc("clusters inside families: higher means more and purer ones")
        double clusterResolution,
    @Default("0.5")
        @Range(min = 0, max = 1)
        @Doc("groups whose texts are this alike on average are one problem in other forms")
        double mergeFloor,
    @Default("0.35")
        @Range(min = 0, max = 1)
        @Doc(
            "least recurrence score of a member: similarity to its three nearest in the cluster, times the cluster's share of its ten nearest")
        double recurrenceFloor,
    @Default("3") @Range(min = 2) @Doc("interactions below which a dense group is no cluster")
        int minClusterSize,
    @Default("30000") @Range(min = 100) @Doc("texts that the feature space is learnt from")
        int fitSample,
    @Default("0.2")
        @Range(min = 0, max = 1)
        @Doc("mine everything again once this share of the log is newer than the feature space")
        double refreshShare,
    @Default("20000")
        @Range(min = 0)
        @Doc(
            "unclustered interactions of earlier nights that tonight may still cluster, latest first")
        int openLimit,
    @Default("5") @Range(min = 1, max = 50) @Doc("exemplars on a cluster's card") int exemplars,
    @Default("1") long seed) {}
