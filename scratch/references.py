"""The literature: what docstrings all over the project cite by authors and year, in alphabetical order.

This is the one place where a work's title and DOI stand; where it has none, its entry says why.

Baydin et al. 2022
    A. G. Baydin, B. A. Pearlmutter, D. Syme, F. Wood, P. Torr. Gradients without backpropagation.
    doi:10.48550/arXiv.2202.08587
Blanchard, Higham, Higham 2021
    Accurately computing the log-sum-exp and softmax functions. IMA Journal of Numerical Analysis 41(4),
    2311-2330. doi:10.1093/imanum/draa038
Ciresan et al. 2010
    D. C. Ciresan, U. Meier, L. M. Gambardella, J. Schmidhuber. Deep, big, simple neural nets for handwritten
    digit recognition. Neural Computation 22(12), 3207-3220. doi:10.1162/NECO_a_00052
Claerbout 1992
    Earth soundings analysis: processing versus inversion. Blackwell. No DOI: a book older than DOIs.
Connolly, Higham, Mary 2021
    Stochastic rounding and its probabilistic backward error analysis. SIAM Journal on Scientific Computing
    43(1), A566-A585. doi:10.1137/20M1334796
Fornberg 1988
    Generation of finite difference formulas on arbitrarily spaced grids. Mathematics of Computation 51(184),
    699-706. doi:10.1090/S0025-5718-1988-0935077-0
Georges, Buytaert, Eeckhout 2007
    Statistically rigorous Java performance evaluation. OOPSLA, 57-76. doi:10.1145/1297027.1297033
Gill, Murray, Saunders, Wright 1983
    Computing forward-difference intervals for numerical optimization. SIAM Journal on Scientific and
    Statistical Computing 4(2), 310-321. doi:10.1137/0904025
Glorot, Bengio 2010
    Understanding the difficulty of training deep feedforward neural networks. AISTATS, PMLR 9, 249-256. No
    DOI: the proceedings give none.
Goodfellow et al. 2013
    I. J. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville, Y. Bengio. Maxout networks. ICML, PMLR 28(3),
    1319-1327. doi:10.48550/arXiv.1302.4389
Goodfellow, Shlens, Szegedy 2015
    Explaining and harnessing adversarial examples. ICLR. doi:10.48550/arXiv.1412.6572
Griewank, Walther 2008
    Evaluating derivatives: principles and techniques of algorithmic differentiation. 2nd edition, SIAM.
    doi:10.1137/1.9780898717761
Hamming 1971
    Introduction to applied numerical analysis. McGraw-Hill. No DOI: a book older than DOIs.
He, Zhang, Ren, Sun 2015
    Delving deep into rectifiers: surpassing human-level performance on ImageNet classification. ICCV,
    1026-1034. doi:10.1109/ICCV.2015.123
Hendrycks, Gimpel 2016
    Gaussian error linear units (GELUs). doi:10.48550/arXiv.1606.08415
Higham 1993
    The accuracy of floating point summation. SIAM Journal on Scientific Computing 14(4), 783-799.
    doi:10.1137/0914050
Higham 2002
    Accuracy and stability of numerical algorithms. 2nd edition, SIAM. doi:10.1137/1.9780898718027
Higham, Mary 2019
    A new approach to probabilistic rounding error analysis. SIAM Journal on Scientific Computing 41(5),
    A2815-A2835. doi:10.1137/18M1226312
Ipsen, Zhou 2020
    Probabilistic error analysis for inner products. SIAM Journal on Matrix Analysis and Applications 41(4),
    1726-1741. doi:10.1137/19M1270434
Kalibera, Jones 2013
    Rigorous benchmarking in reasonable time. ISMM, 63-74. doi:10.1145/2464157.2464160
Kingma, Ba 2015
    Adam: a method for stochastic optimization. ICLR. doi:10.48550/arXiv.1412.6980
Lakens 2017
    Equivalence tests: a practical primer for t tests, correlations, and meta-analyses. Social Psychological
    and Personality Science 8(4), 355-362. doi:10.1177/1948550617697177
LeCun et al. 1998
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-based learning applied to document recognition.
    Proceedings of the IEEE 86(11), 2278-2324. doi:10.1109/5.726791
Lee, Park, Aiken 2023
    On the correctness of automatic differentiation for neural networks with machine-representable parameters.
    ICML, PMLR 202. No DOI: the proceedings give none.
Loshchilov, Hutter 2017
    SGDR: stochastic gradient descent with warm restarts. ICLR. doi:10.48550/arXiv.1608.03983
Lyness, Moler 1967
    Numerical differentiation of analytic functions. SIAM Journal on Numerical Analysis 4(2), 202-210.
    doi:10.1137/0704019
McNemar 1947
    Note on the sampling error of the difference between correlated proportions or percentages. Psychometrika
    12(2), 153-157. doi:10.1007/BF02295996
Miyato, Maeda, Koyama, Ishii 2019
    Virtual adversarial training: a regularization method for supervised and semi-supervised learning. IEEE
    Transactions on Pattern Analysis and Machine Intelligence 41(8), 1979-1993.
    doi:10.1109/TPAMI.2018.2858821
Moré, Wild 2011
    Estimating computational noise. SIAM Journal on Scientific Computing 33(3), 1292-1314.
    doi:10.1137/100786125
Nielsen 2015
    Neural networks and deep learning. Determination Press. neuralnetworksanddeeplearning.com No DOI: an
    online book.
Nocedal, Wright 2006
    Numerical optimization. 2nd edition, Springer. doi:10.1007/978-0-387-40065-5
Novikoff 1962
    On convergence proofs on perceptrons. Symposium on the Mathematical Theory of Automata 12, 615-622. No
    DOI: proceedings older than DOIs.
Okabe, Ito 2008
    Color universal design (CUD): how to make figures and presentations that are friendly to colorblind
    people. jfly.uni-koeln.de/color. No DOI: a page on the web.
Parker 1997
    Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic. Technical report CSD-970002,
    University of California, Los Angeles. No DOI: a technical report.
Press et al. 2007
    W. H. Press, S. A. Teukolsky, W. T. Vetterling, B. P. Flannery. Numerical recipes: the art of scientific
    computing. 3rd edition, Cambridge University Press. No DOI: a book; ISBN 978-0-521-88068-8.
Rasmus et al. 2015
    A. Rasmus, H. Valpola, M. Honkala, M. Berglund, T. Raiko. Semi-supervised learning with ladder networks.
    NeurIPS. doi:10.48550/arXiv.1507.02672
Ren et al. 2023
    M. Ren, S. Kornblith, R. Liao, G. Hinton. Scaling forward gradient with local losses. ICLR.
    doi:10.48550/arXiv.2210.03310
Ridders 1982
    Accurate computation of F'(x) and F'(x) F''(x). Advances in Engineering Software 4(2), 75-76.
    doi:10.1016/S0141-1195(82)80057-0
Rosenblatt 1958
    The perceptron: a probabilistic model for information storage and organization in the brain. Psychological
    Review 65(6), 386-408. doi:10.1037/h0042519
Schuirmann 1987
    A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence of
    average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15(6), 657-680.
    doi:10.1007/BF01068419
Simard et al. 2003
    P. Y. Simard, D. Steinkraus, J. C. Platt. Best practices for convolutional neural networks applied to
    visual document analysis. ICDAR, 958-963. doi:10.1109/ICDAR.2003.1227801
Smith, Topin 2018
    Super-convergence: very fast training of neural networks using large learning rates.
    doi:10.48550/arXiv.1708.07120
Sohier et al. 2021
    D. Sohier, P. de Oliveira Castro, F. Févotte, B. Lathuilière, E. Petit, O. Jamond. Confidence intervals
    for stochastic arithmetic. ACM Transactions on Mathematical Software 47(2), 10. doi:10.1145/3432184
Squire, Trapp 1998
    Using complex variables to estimate derivatives of real functions. SIAM Review 40(1), 110-112.
    doi:10.1137/S003614459631241X
Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014
    Dropout: a simple way to prevent neural networks from overfitting. Journal of Machine Learning Research
    15, 1929-1958. No DOI: the journal gives none.
Sutskever, Martens, Dahl, Hinton 2013
    On the importance of initialization and momentum in deep learning. ICML, PMLR 28(3), 1139-1147. No DOI:
    the proceedings give none.
Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016
    Rethinking the Inception architecture for computer vision. CVPR, 2818-2826. doi:10.1109/CVPR.2016.308
Williams 1949
    Experimental designs balanced for the estimation of residual effects of treatments. Australian Journal of
    Scientific Research A 2, 149-168. No DOI: none known to us.
"""
